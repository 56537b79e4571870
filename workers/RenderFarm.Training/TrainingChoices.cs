using System.CommandLine;
using RenderFarm.Planning.Models;
using RenderFarm.Training.Clips;
using RenderFarm.Training.Stages;
using RenderFarm.Verbs.Parsing;
using static TorchSharp.torch;

namespace RenderFarm.Training;

/// <summary>The options of every training verb. What is not given is as <see cref="TrainingOptions"/> says.</summary>
internal sealed class TrainingChoices
{
    private readonly Option<string> _out = new("--out")
    {
        Description = "Weights (DIR/demo), curves.json (of one verb: VERB.json) and pictures go there",
        HelpName = "DIR",
        Required = true,
    };

    private readonly Option<string?> _state = new("--state")
    {
        Description = "Where a stage can be taken up from again; absent: DIR/state",
        HelpName = "DIR",
    };

    private readonly Option<string?> _device = OptionKinds.OptionalChoice("--device", "Absent: cuda where there is one", "cuda", "cpu");
    private readonly Option<double> _vaeSeconds = Seconds("--vae-seconds", "How long the VAE is trained", TrainingDefaults.VaeSeconds);
    private readonly Option<double> _textSeconds = Seconds(
        "--text-seconds",
        "How long the text encoder is trained",
        TrainingDefaults.TextSeconds
    );
    private readonly Option<double> _denoiserSeconds = Seconds(
        "--denoiser-seconds",
        "How long the DiT is trained",
        TrainingDefaults.DenoiserSeconds
    );
    private readonly Option<int?> _batch = OptionKinds.OptionalWhole(
        "--batch",
        $"Clips of one step of the DiT; absent: {TrainingDefaults.Batch}"
    );
    private readonly Option<int?> _vaeBatch = OptionKinds.OptionalWhole(
        "--vae-batch",
        $"Windows of one step of the VAE; absent: {TrainingDefaults.VaeBatch}"
    );
    private readonly Option<double> _vaeRate = OptionKinds.Number(
        "--vae-rate",
        "The VAE's peak rate of learning",
        TrainingDefaults.VaeRate,
        0
    );
    private readonly Option<double> _rate = OptionKinds.Number(
        "--rate",
        "The DiT's peak rate of learning",
        TrainingDefaults.DenoiserRate,
        0
    );
    private readonly Option<long?> _seed = OptionKinds.OptionalLong(
        "--seed",
        $"What everything is drawn from; absent: {TrainingDefaults.Seed}"
    );
    private readonly Option<bool> _small = new("--small") { Description = "A few small clips a step: to see that it runs" };

    public void AddTo(Command verb)
    {
        Option[] all =
        [
            _out,
            _state,
            _device,
            _vaeSeconds,
            _textSeconds,
            _denoiserSeconds,
            _batch,
            _vaeBatch,
            _vaeRate,
            _rate,
            _seed,
            _small,
        ];
        foreach (var option in all)
        {
            verb.Add(option);
        }
    }

    public TrainingOptions Read(ParseResult parsed)
    {
        var (verb, folder, small) = (parsed.CommandResult.Command.Name, parsed.GetRequiredValue(_out), parsed.GetValue(_small));
        var standard = new TrainingOptions
        {
            Shape = ModelShapes.Demo,
            Output = folder,
            Curves = verb == "all" ? "curves.json" : $"{verb}.json",
            State = parsed.GetValue(_state) ?? Path.Combine(folder, "state"),
            Device = new Device(parsed.GetValue(_device) ?? (cuda.is_available() ? "cuda" : "cpu")),
            DecoderOnly = verb == "decoder",
        };
        var options = standard with
        {
            Seed = parsed.GetValue(_seed) ?? standard.Seed,
            VaeSeconds = parsed.GetValue(_vaeSeconds),
            TextSeconds = parsed.GetValue(_textSeconds),
            DenoiserSeconds = parsed.GetValue(_denoiserSeconds),
            Batch = parsed.GetValue(_batch) ?? (small ? 4 : standard.Batch),
            VaeBatch = parsed.GetValue(_vaeBatch) ?? (small ? 2 : standard.VaeBatch),
            VaeRate = parsed.GetValue(_vaeRate),
            DenoiserRate = parsed.GetValue(_rate),
        };
        return small ? Small(options) : options;
    }

    private static TrainingOptions Small(TrainingOptions options) =>
        options with
        {
            Sizes = [(new ClipSize(64, 64, 9), 0.8), (new ClipSize(64, 64, 5), 0.2)],
            Windows = [(new ClipSize(32, 32, 5), 0.8, 1), (new ClipSize(48, 48, 9), 0.2, 0.5)],
            Pool = 64,
            Looks = 4,
            Every = 5,
        };

    private static Option<double> Seconds(string name, string description, double otherwise) =>
        OptionKinds.Number(name, description, otherwise, 0);
}
