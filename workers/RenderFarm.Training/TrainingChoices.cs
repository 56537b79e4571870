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
    private readonly Option<double?> _vaeSeconds = Seconds("--vae-seconds", "How long the VAE is trained");
    private readonly Option<double?> _textSeconds = Seconds("--text-seconds", "How long the text encoder is trained");
    private readonly Option<double?> _denoiserSeconds = Seconds("--denoiser-seconds", "How long the DiT is trained");
    private readonly Option<int?> _batch = OptionKinds.OptionalWhole("--batch", "Clips of one step of the DiT");
    private readonly Option<int?> _vaeBatch = OptionKinds.OptionalWhole("--vae-batch", "Windows of one step of the VAE");
    private readonly Option<double?> _vaeRate = OptionKinds.OptionalNumber("--vae-rate", "The VAE's peak rate of learning", 0);
    private readonly Option<double?> _rate = OptionKinds.OptionalNumber("--rate", "The DiT's peak rate of learning", 0);
    private readonly Option<long?> _seed = OptionKinds.OptionalLong("--seed", "What everything is drawn from");
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
            VaeSeconds = parsed.GetValue(_vaeSeconds) ?? standard.VaeSeconds,
            TextSeconds = parsed.GetValue(_textSeconds) ?? standard.TextSeconds,
            DenoiserSeconds = parsed.GetValue(_denoiserSeconds) ?? standard.DenoiserSeconds,
            Batch = parsed.GetValue(_batch) ?? (small ? 4 : standard.Batch),
            VaeBatch = parsed.GetValue(_vaeBatch) ?? (small ? 2 : standard.VaeBatch),
            VaeRate = parsed.GetValue(_vaeRate) ?? standard.VaeRate,
            DenoiserRate = parsed.GetValue(_rate) ?? standard.DenoiserRate,
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

    private static Option<double?> Seconds(string name, string description) => OptionKinds.OptionalNumber(name, description, 0);
}
