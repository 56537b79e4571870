namespace RenderFarm.Renderer.Models;

/// <summary><c>models …</c>: what can be done with checkpoints without rendering.</summary>
internal static class ModelsVerb
{
    private const string Usage = """
        models make-random PRESET DIR [--seed N]   write random weights in the real checkpoint layout
        models inspect FILE|DIR [--json]           say what a checkpoint is
        models scan DIR [--into DIR] [--json]      find models in any folder and register them where they lie
        models verify DIR                          check a model folder against its model.json
        """;

    public static int Run(string[] args) =>
        args switch
        {
            ["make-random", .. var rest] => MakeRandom.Run(rest),
            ["inspect", .. var rest] => Inspect.Run(rest),
            ["scan", .. var rest] => Scan.Run(rest),
            ["verify", .. var rest] => Verify.Run(rest),
            ["--help" or "-h"] => Say(Usage),
            [] => ExitCodes.Usage(Usage),
            [var unknown, ..] => ExitCodes.Usage($"models: unknown verb '{unknown}'\n\n{Usage}"),
        };

    internal static int Say(string text)
    {
        Console.Out.WriteLine(text);
        return ExitCodes.Done;
    }
}
