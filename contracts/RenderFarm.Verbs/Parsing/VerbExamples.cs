using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Runtime.CompilerServices;

namespace RenderFarm.Verbs.Parsing;

/// <summary>Help that ends with examples.</summary>
public static class VerbExamples
{
    private static readonly ConditionalWeakTable<Command, string[]> Examples = [];

    /// <param name="command">The verb.</param>
    /// <param name="examples">What follows <c>./farm</c>.</param>
    public static T WithExamples<T>(this T command, params string[] examples)
        where T : Command
    {
        Examples.AddOrUpdate(command, examples);
        return command;
    }

    public static void AddTo(RootCommand root)
    {
        var help = root.Options.OfType<HelpOption>().Single();
        // A completion of -? and /h helps nobody.
        help.Aliases.Clear();
        help.Aliases.Add("-h");
        help.Action = new WithExamplesAction((HelpAction)help.Action!);
    }

    private sealed class WithExamplesAction(HelpAction help) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            var code = help.Invoke(parseResult);
            if (Examples.TryGetValue(parseResult.CommandResult.Command, out var examples))
            {
                var output = parseResult.InvocationConfiguration.Output;
                output.WriteLine("Examples:");
                foreach (var example in examples)
                {
                    output.WriteLine($"  ./farm {example}");
                }
                output.WriteLine();
            }
            return code;
        }
    }
}
