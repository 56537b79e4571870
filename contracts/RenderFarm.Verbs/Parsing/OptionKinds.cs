using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace RenderFarm.Verbs.Parsing;

/// <summary>Options that check their own value and say in one sentence what they accept.</summary>
public static class OptionKinds
{
    public static Option<int> Whole(string name, string description, int otherwise, int least = 1, int most = int.MaxValue)
    {
        return new Option<int>(name)
        {
            Description = description,
            HelpName = "N",
            DefaultValueFactory = _ => otherwise,
            CustomParser = result => (int)WholeOf(result, name, least, most),
        };
    }

    public static Option<int?> OptionalWhole(string name, string description, int least = 1, int most = int.MaxValue)
    {
        return new Option<int?>(name)
        {
            Description = description,
            HelpName = "N",
            CustomParser = result => (int)WholeOf(result, name, least, most),
        };
    }

    public static Option<long?> OptionalLong(string name, string description, long least = 0, long most = long.MaxValue)
    {
        return new Option<long?>(name)
        {
            Description = description,
            HelpName = "N",
            CustomParser = result => WholeOf(result, name, least, most),
        };
    }

    public static Option<double> Number(string name, string description, double otherwise, double least, double most = double.MaxValue)
    {
        return new Option<double>(name)
        {
            Description = description,
            HelpName = "X",
            DefaultValueFactory = _ => otherwise,
            CustomParser = result => NumberOf(result, name, least, most),
        };
    }

    public static Option<double?> OptionalNumber(
        string name,
        string description,
        double least = double.MinValue,
        double most = double.MaxValue
    )
    {
        return new Option<double?>(name)
        {
            Description = description,
            HelpName = "X",
            CustomParser = result => NumberOf(result, name, least, most),
        };
    }

    /// <summary>A length of time, such as 7d, in the words it was given in.</summary>
    public static Option<string> Age(string name, string description, string otherwise)
    {
        var option = new Option<string>(name)
        {
            Description = description,
            HelpName = "AGE",
            DefaultValueFactory = _ => otherwise,
        };
        RequireAge(option);
        return option;
    }

    /// <inheritdoc cref="Age"/>
    public static Option<string?> OptionalAge(string name, string description)
    {
        var option = new Option<string?>(name) { Description = description, HelpName = "AGE" };
        RequireAge(option);
        return option;
    }

    private static void RequireAge(Option option) =>
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var given] && !Contracts.Words.Age.TryParse(given.Value, out _))
            {
                result.AddError($"{option.Name} is '{given.Value}': it must be {Contracts.Words.Age.Accepted}");
            }
        });

    public static Option<string> Choice(string name, string description, string otherwise, params IReadOnlyList<string> values)
    {
        var option = new Option<string>(name) { Description = description, DefaultValueFactory = _ => otherwise };
        Restrict(option, values);
        return option;
    }

    public static Option<string?> OptionalChoice(string name, string description, params IReadOnlyList<string> values)
    {
        var option = new Option<string?>(name) { Description = description };
        Restrict(option, values);
        return option;
    }

    /// <summary>May be given more than once.</summary>
    public static Option<string[]> Choices(string name, string description, params IReadOnlyList<string> values)
    {
        var option = new Option<string[]>(name) { Description = description };
        Restrict(option, values);
        return option;
    }

    /// <summary>Width x height, such as 832x480.</summary>
    public static Option<(int Width, int Height)?> OptionalSize(string name, string description)
    {
        return new Option<(int Width, int Height)?>(name)
        {
            Description = description,
            HelpName = "WxH",
            CustomParser = result =>
            {
                if (
                    result.Tokens[0].Value.Split('x') is [var width, var high]
                    && int.TryParse(width, NumberStyles.None, CultureInfo.InvariantCulture, out var w)
                    && w > 0
                    && int.TryParse(high, NumberStyles.None, CultureInfo.InvariantCulture, out var h)
                    && h > 0
                )
                {
                    return (w, h);
                }
                result.AddError($"{name} is '{result.Tokens[0].Value}': it must be width x height, such as 832x480");
                return null;
            },
        };
    }

    /// <summary>A word of a list, as an argument.</summary>
    public static Argument<string> ChoiceArgument(string name, string description, params IReadOnlyList<string> values)
    {
        var argument = new Argument<string>(name) { Description = description };
        argument.CompletionSources.Add(_ => values.Select(value => new System.CommandLine.Completions.CompletionItem(value)));
        argument.Validators.Add(result => RequireOneOf(result, name, values));
        return argument;
    }

    /// <summary>Values that are known only when asked for: completion and help name them, and no other is accepted.</summary>
    private static void Restrict(Option option, IReadOnlyList<string> values)
    {
        option.HelpName = string.Join('|', values);
        option.CompletionSources.Add(_ => values.Select(value => new System.CommandLine.Completions.CompletionItem(value)));
        option.Validators.Add(result => RequireOneOf(result, option.Name, values));
    }

    private static void RequireOneOf(SymbolResult result, string name, IReadOnlyList<string> values)
    {
        foreach (var token in result.Tokens)
        {
            if (!values.Contains(token.Value))
            {
                result.AddError($"{name} is '{token.Value}': it must be {Either(values)}");
            }
        }
    }

    private static string Either(IReadOnlyList<string> values) =>
        values.Count == 1 ? values[0] : $"{string.Join(", ", values.Take(values.Count - 1))} or {values[^1]}";

    private static long WholeOf(ArgumentResult result, string name, long least, long most)
    {
        var text = result.Tokens[0].Value;
        if (
            long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            && number >= least
            && number <= most
        )
        {
            return number;
        }
        var range = (least, most) switch
        {
            (int.MinValue, _) => "",
            (_, int.MaxValue or long.MaxValue) => $" of {least} or more",
            _ => $" from {least} to {most}",
        };
        result.AddError($"{name} is '{text}': it must be a whole number{range}");
        return least;
    }

    private static double NumberOf(ArgumentResult result, string name, double least, double most)
    {
        var text = result.Tokens[0].Value;
        if (
            double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && double.IsFinite(number)
            && number >= least
            && number <= most
        )
        {
            return number;
        }
        var range = (least, most) switch
        {
            (double.MinValue, double.MaxValue) => "",
            (_, double.MaxValue) => string.Create(CultureInfo.InvariantCulture, $" of {least} or more"),
            _ => string.Create(CultureInfo.InvariantCulture, $" from {least} to {most}"),
        };
        result.AddError($"{name} is '{text}': it must be a number{range}");
        return 0;
    }
}
