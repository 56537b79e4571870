namespace RenderFarm.Renderer;

internal static class Help
{
    public const string Text = """
        RenderFarm.Renderer VERB

          render [--device cpu|cuda]            render one order: JSON lines on standard input and output; what a worker starts
          parity DIR [--device cpu|cuda]        compute what golden files hold and compare
          bench gpu --part PART [--json]        measure the engine on the card at hand
          bench step-cache DIR [--json]         what step caches save on a model, and their error against the full run
          bench calibrate [--into DIR]          measure the rates that plans are timed with, and keep them
          doctor --json                         what libtorch and the card can do here
          cache check DIR [--repair] [--json]   prepared weights against their checksums
          models make-random PRESET DIR         write random weights in the real checkpoint layout
          models inspect FILE|DIR [--json]      say what a checkpoint is
          models scan DIR [--into DIR] [--json] find models in any folder, register them, say what is missing
          models verify DIR                     check a model folder against its model.json

        Exit codes: 0 done, 1 failed, 2 bad arguments, 3 cancelled.
        """;

    public static int Print()
    {
        Console.Out.WriteLine(Text);
        return ExitCodes.Done;
    }
}
