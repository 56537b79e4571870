using System.CommandLine;
using RenderFarm.Verbs.Figures;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Verbs.Bench;

/// <summary><c>bench farm</c>: a whole farm on this host's card, from the first cold job to the hundredth small one.</summary>
public sealed class FarmVerb : Command
{
    /// <summary>In the order they run.</summary>
    public static readonly IReadOnlyList<string> Parts =
    [
        "weights",
        "demo",
        "rates",
        "cold",
        "warm",
        "first-step",
        "tight",
        "growing",
        "killed",
        "cancelled",
        "many",
    ];

    public FarmVerb()
        : base(
            "farm",
            "A whole farm on the card at hand (API, worker, renderer, ffmpeg): cold and warm, beside a neighbour, killed, cancelled, a "
                + "hundred small jobs (1: a limit was missed)"
        )
    {
        foreach (var option in new Option[] { Part, Models, Model, Size, Frames, Steps, Jobs, Left, Slots, NoStandby, Minutes, After })
        {
            Add(option);
        }

        Report.AddTo(this);
        this.WithExamples(
            "bench farm --models /data/random",
            "bench farm --part weights --part demo --part many --models /data/random --report first.json",
            "bench farm --part cold --part warm --models /data/random --after first.json",
            "bench farm --slots cpu --model small --size 64x48 --frames 5 --steps 3 --jobs 10"
        );
    }

    public Option<string[]> Part { get; } = OptionKinds.Choices("--part", "What to run; absent: everything, in this order", Parts);

    public Option<string?> Models { get; } =
        new("--models")
        {
            Description = "Where the random model lies or is made, to be kept; absent: a folder that is removed at the end",
            HelpName = "DIR",
        };

    public Option<string> Model { get; } =
        new("--model")
        {
            Description = "The large model, of random weights",
            HelpName = "ID",
            DefaultValueFactory = _ => "t2v-14b",
        };

    public Option<(int Width, int Height)?> Size { get; } = OptionKinds.OptionalSize("--size", "Of its videos; absent: 832x480");
    public Option<int> Frames { get; } = OptionKinds.Whole("--frames", "Of its videos", 81);
    public Option<int> Steps { get; } = OptionKinds.Whole("--steps", "Of its cold and its warm video", 6);
    public Option<int> Jobs { get; } = OptionKinds.Whole("--jobs", "Small ones in a row", 100);

    public Option<double> Left { get; } =
        OptionKinds.Number("--left", "GiB that a neighbour leaves of the card, and takes when it grows", 8, 1, 1024);

    public Option<string> Slots { get; } = OptionKinds.Choice("--slots", "The cards of this host, or its processor", "auto", "auto", "cpu");
    public Option<bool> NoStandby { get; } = new("--no-standby") { Description = "Without a renderer that stands by" };

    public Option<double> Minutes { get; } =
        OptionKinds.Number("--minutes", "Parts that have not begun by then are missed, not run", 60, 0.1, 10_000);

    public Option<string?> After { get; } =
        new("--after") { Description = "The report of the parts before: its figures come first in this one", HelpName = "FILE" };

    public ReportOptions Report { get; } = new();
}
