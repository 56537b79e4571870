using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text;
using System.Text.Json;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Verbs.Parsing;

/// <summary>The one thing to say about a command line that makes no sense: which word is wrong, and what would be accepted.</summary>
/// <param name="Param">The option, argument or word.</param>
public sealed record ParseFault(string Param, string Message)
{
    /// <returns>Null where nothing is wrong, or where help was asked for.</returns>
    public static ParseFault? Of(ParseResult parsed)
    {
        if (parsed.Action?.ClearsParseErrors == true)
        {
            return null;
        }
        if (UnknownOption(parsed) is { } unknown)
        {
            return unknown;
        }
        return parsed.Errors.Count == 0 ? null : Unmatched(parsed) ?? Of(parsed.Errors[0]);
    }

    /// <summary>A line for people; for programs (<c>--json</c>) an object on one line, as the farm's own errors are.</summary>
    public void Tell(ParseResult parsed, TextWriter errors) => Tell(parsed, errors, Param, Message);

    internal static void Tell(ParseResult parsed, TextWriter errors, string? param, string message)
    {
        if (!parsed.Tokens.Any(token => token.Value == "--json"))
        {
            errors.WriteLine($"error: invalid_option: {message}");
            return;
        }
        using var buffer = new MemoryStream();
        using (
            var json = new Utf8JsonWriter(
                buffer,
                new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }
            )
        )
        {
            json.WriteStartObject();
            json.WriteStartObject("error");
            json.WriteString("message", message);
            json.WriteString("code", "invalid_option");
            json.WriteString("param", param);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        errors.WriteLine(Encoding.UTF8.GetString(buffer.ToArray()));
    }

    /// <summary>The parser takes a misspelt option for an argument where there is room for one; it would be rendered.</summary>
    private static ParseFault? UnknownOption(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        if (!command.TreatUnmatchedTokensAsErrors)
        {
            return null;
        }
        var values = parsed
            .CommandResult.Children.OfType<OptionResult>()
            .SelectMany(option => option.Tokens)
            .ToHashSet(ReferenceEqualityComparer.Instance);
        var word = parsed
            .Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash)
            .FirstOrDefault(token => token.Type == TokenType.Argument && LooksLikeAnOption(token.Value) && !values.Contains(token))
            ?.Value;
        if (word is null)
        {
            return null;
        }
        var name = word.Split('=', ':')[0];
        var known = Options(parsed.CommandResult).Where(option => !option.Hidden).Select(option => option.Name);
        var hint = NearestName.To(name, known) is { } near
            ? $"did you mean {near}?"
            : $"./farm {PathOf(parsed.CommandResult)}--help names them";
        return new ParseFault(name, $"there is no option {name}; {hint}");
    }

    private static ParseFault? Unmatched(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        if (!command.TreatUnmatchedTokensAsErrors || parsed.UnmatchedTokens is not [var word, ..])
        {
            return null;
        }
        var verbs = command.Subcommands.Where(sub => !sub.Hidden).Select(sub => sub.Name).ToList();
        if (verbs.Count == 0)
        {
            return new ParseFault(word, $"'{word}' is one word too many: {command.Name} takes {Takes(command)}");
        }
        var hint = NearestName.To(word, verbs) is { } near ? $"did you mean {near}?" : $"there are {string.Join(", ", verbs)}";
        return new ParseFault(word, $"there is no verb {PathOf(parsed.CommandResult)}{word}; {hint}");
    }

    private static ParseFault Of(ParseError error) =>
        error.SymbolResult switch
        {
            OptionResult option => new ParseFault(option.Option.Name, OfOption(option, error.Message)),
            ArgumentResult argument => new ParseFault(argument.Argument.Name, OfArgument(argument, error.Message)),
            CommandResult command when command.Command.Subcommands.Count > 0 => new ParseFault(
                command.Command.Name,
                $"{(command.Command is RootCommand ? "a verb is needed" : $"{command.Command.Name} needs a verb")}: "
                    + string.Join(", ", command.Command.Subcommands.Where(sub => !sub.Hidden).Select(sub => sub.Name))
            ),
            _ => new ParseFault("", error.Message),
        };

    private static string OfOption(OptionResult result, string message)
    {
        var option = result.Option;
        if (result.Implicit)
        {
            return $"{option.Name} is needed: {option.Description}";
        }
        return result.Tokens.Count switch
        {
            0 when option.Arity.MinimumNumberOfValues > 0 => $"{option.Name} needs a value: {option.Description}",
            > 1 when option.Arity.MaximumNumberOfValues == 1 =>
                $"{option.Name} was given {result.IdentifierTokenCount} times: it takes one value",
            _ => InOurWords(option.Name, option.ValueType, result, message),
        };
    }

    private static string OfArgument(ArgumentResult result, string message)
    {
        var argument = result.Argument;
        return result.Tokens.Count == 0 && argument.Arity.MinimumNumberOfValues > 0
            ? $"{argument.Name} is missing: {argument.Description}"
            : InOurWords(argument.Name, argument.ValueType, result, message);
    }

    /// <summary>The parser's own sentence about a value names a type of the runtime.</summary>
    private static string InOurWords(string name, Type type, SymbolResult result, string message)
    {
        if (!message.StartsWith("Cannot parse argument", StringComparison.Ordinal))
        {
            return message;
        }
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        var wanted =
            plain == typeof(int) || plain == typeof(long) ? "a whole number"
            : plain == typeof(double) ? "a number"
            : plain == typeof(bool) ? "true or false"
            : "something else";
        return $"{name} is '{(result.Tokens.Count == 0 ? "" : result.Tokens[^1].Value)}': it must be {wanted}";
    }

    private static bool LooksLikeAnOption(string word) =>
        word.Length > 2 && word.StartsWith("--", StringComparison.Ordinal)
        || word.Length == 2 && word[0] == '-' && char.IsAsciiLetter(word[1]);

    private static IEnumerable<Option> Options(CommandResult command)
    {
        for (SymbolResult? at = command; at is CommandResult one; at = one.Parent)
        {
            foreach (var option in one.Command.Options)
            {
                yield return option;
            }
        }
    }

    /// <summary>The words that lead to a verb, with a blank behind them.</summary>
    private static string PathOf(CommandResult command)
    {
        var path = "";
        for (SymbolResult? at = command; at is CommandResult { Command: not RootCommand } one; at = one.Parent)
        {
            path = $"{one.Command.Name} {path}";
        }
        return path;
    }

    private static string Takes(Command command) =>
        command.Arguments.Count == 0
            ? "none"
            : string.Join(
                ' ',
                command.Arguments.Select(argument => $"<{argument.Name}>{(argument.Arity.MaximumNumberOfValues > 1 ? "…" : "")}")
            );
}
