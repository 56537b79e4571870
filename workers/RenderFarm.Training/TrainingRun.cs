using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Training.Clips;
using RenderFarm.Training.Looks;
using RenderFarm.Training.Stages;
using RenderFarm.Training.Text;
using RenderFarm.Training.Weights;
using RenderFarm.Wan.TextEncoder;
using RenderFarm.Wan.Transformer;
using RenderFarm.Wan.Vae;
using static TorchSharp.torch;

namespace RenderFarm.Training;

/// <summary>
/// The stages in their order: VAE and text encoder, each for itself, then the DiT between them, then a look at what came out.
/// </summary>
internal sealed class TrainingRun(TrainingOptions options, Journal journal)
{
    private const string Note = "The demo model knows coloured shapes and simple motions; words it never saw have no effect.";

    private readonly ModelFolder _folder = new(Path.Combine(options.Output, options.Shape.Id));

    public void Vae()
    {
        using var trainer = new VaeTrainer(options, journal);
        trainer.Run();
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var (mean, deviation) = LatentStatistics.Measure(trainer.Parameters, trainer.Average, options, options.OnCard ? 256 : 8);
        var tensors = Named(trainer.Parameters, trainer.Average.cpu());
        _folder.Write(ModelFolder.Vae, LatentStatistics.Folded(tensors, options.Shape.Vae, mean, deviation));
        using var finished = FinishedVae();
        LookAtVae(finished.Module);
        Save();
    }

    public void Text()
    {
        using var trainer = new TextTrainer(options, journal);
        trainer.Run();
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var tokenizer = new DemoTokenizer();
        var tensors = Below(Named(trainer.Parameters, trainer.Average.cpu()), TextTrainer.Encoder + ".");
        var table = tensors[Umt5Encoder.TableName] = tensors[Umt5Encoder.TableName].clone();
        foreach (var (piece, like) in tokenizer.Capitals())
        {
            table[piece].copy_(table[like]);
        }

        _folder.Write(ModelFolder.TextEncoder, tensors);
        _folder.Write(tokenizer.Model);
        Save();
    }

    public void Denoiser()
    {
        using var vae = FinishedVae();
        using var encoder = FinishedEncoder();
        using var trainer = new DenoiserTrainer(options, journal, vae.Module, encoder.Module);
        trainer.Run();
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        _folder.Write(ModelFolder.Transformer, Named(trainer.Parameters, trainer.Average.cpu()));
        _folder.WriteManifest(options.Shape, Note);
        Save();
        var weights = trainer.Parameters.Open(trainer.Average, options.OnCard ? ScalarType.BFloat16 : ScalarType.Float32);
        using var model = new WanModel(weights, options.Shape.Transformer);
        LookAtModel(model, encoder.Module, vae.Module);
        Save();
    }

    private Loaded<WanVae> FinishedVae()
    {
        using var source = SafetensorsFile.Open(_folder.PathOf(ModelFolder.Vae));
        return LoadedWeights.Build(
            source,
            options.Device,
            ScalarType.Float32,
            weights => new WanVae(weights, options.Shape.Vae) { FramesAsChannels = options.OnCard }
        );
    }

    private Loaded<Umt5Encoder> FinishedEncoder()
    {
        using var source = SafetensorsFile.Open(_folder.PathOf(ModelFolder.TextEncoder));
        return LoadedWeights.Build(
            source,
            options.Device,
            ScalarType.Float32,
            weights => new Umt5Encoder(weights, options.Shape.TextEncoder)
        );
    }

    /// <summary>How well clips that it never saw come back.</summary>
    private void LookAtVae(WanVae vae)
    {
        using var scope = NewDisposeScope();
        var scenes = new SceneGenerator(options.Seed + 9_000);
        var size = options.Sizes[0].Size;
        var clips = new ClipPainter(options.Device).Paint([
            .. Enumerable.Range(0, options.OnCard ? 16 : 2).Select(i => scenes.Draw(i, size)),
        ]);
        var latent = vae.Encode(clips);
        var back = VaeTrainer.Joined(vae.Decode(latent));
        var error = ((back - clips) / 2).square().mean().item<float>();
        journal.Fact("vae psnr dB", -10 * Math.Log10(Math.Max(error, 1e-10)));
        journal.Fact("latent deviation", latent.std().item<float>());
        PngSheet.Write(Path.Combine(options.Output, "vae.png"), cat([clips, back], 3).add(1).div(2).cpu(), 4, 5);
    }

    private void LookAtModel(WanModel model, Umt5Encoder encoder, WanVae vae)
    {
        using var scope = NewDisposeScope();
        var questions = HeldOutQuestions.Draw(options.Looks, seed: 5);
        var length = options.Shape.Transformer.TextLength;
        var tokenizer = new DemoTokenizer();
        var sampler = new Sampler(options.Shape, model, encoder, vae, options.Device);
        var size = options.Sizes[0].Size;
        var right = new List<(bool Color, bool Direction, bool Background)>();
        for (var at = 0; at < questions.Count; at += 16)
        {
            using var piece = NewDisposeScope();
            var batch = questions.Skip(at).Take(16).ToList();
            var clips = sampler.Render(
                [.. batch.Select(q => tokenizer.Ids(q.Caption, length))],
                tokenizer.Ids("", length),
                size,
                seed: 100 + at
            );
            right.AddRange(QuickLook.Judge(batch, clips));
            for (var i = 0; i < batch.Count; i++)
            {
                var (color, direction, background) = right[at + i];
                if (!(color && direction && background))
                {
                    journal.Say(
                        $"wrong {(color ? "" : "colour ")}{(direction ? "" : "direction ")}{(background ? "" : "background ")}in: "
                            + $"{batch[i].Caption}"
                    );
                }
            }
            if (at == 0)
            {
                PngSheet.Write(Path.Combine(options.Output, "held-out.png"), clips, 12, 5);
            }
        }
        journal.Fact("held-out colour", right.Average(r => r.Color ? 1.0 : 0));
        journal.Fact("held-out direction", right.Average(r => r.Direction ? 1.0 : 0));
        journal.Fact("held-out colour and direction", right.Average(r => r is { Color: true, Direction: true } ? 1.0 : 0));
        journal.Fact("held-out background", right.Average(r => r.Background ? 1.0 : 0));
        LookAtOthers(sampler, tokenizer, size);
        LookAtGivenFrames(sampler, vae, tokenizer, size);
    }

    /// <summary>Prompts as people write them, for the eye.</summary>
    private void LookAtOthers(Sampler sampler, DemoTokenizer tokenizer, ClipSize size)
    {
        string[] prompts =
        [
            "a red ball rolls to the right on green",
            "a red ball moves right and a blue square moves left on white",
            "three yellow stars fall on black",
            "a small white cube rises on a purple background",
            "a large orange ring bounces on blue",
            "a green triangle spins on pink",
            "a cat plays the piano in Paris",
            "A Blue Diamond Moves In A Circle On White.",
            "two pink balls roll to the left on a striped blue background",
            "a black cross grows on yellow",
        ];
        using var clips = sampler.Render(
            [.. prompts.Select(p => tokenizer.Ids(p, options.Shape.Transformer.TextLength))],
            tokenizer.Ids("", options.Shape.Transformer.TextLength),
            size,
            seed: 7
        );
        PngSheet.Write(Path.Combine(options.Output, "prompts.png"), clips, prompts.Length, 5);
    }

    /// <summary>
    /// First frames of clips it never saw, with a caption that says where to go: left half as drawn, right half as rendered.
    /// </summary>
    private void LookAtGivenFrames(Sampler sampler, WanVae vae, DemoTokenizer tokenizer, ClipSize size)
    {
        using var scope = NewDisposeScope();
        var questions = HeldOutQuestions.Draw(options.OnCard ? 16 : 2, seed: 6);
        var length = options.Shape.Transformer.TextLength;
        var drawn = new ClipPainter(options.Device).Paint([
            .. questions.Select((q, i) => SceneGenerator.Of(q.Kind, q.Background, size, i)),
        ]);
        var first = vae.Encode(drawn.narrow(2, 0, 1));
        var clips = sampler.Render(
            [.. questions.Select(q => tokenizer.Ids(q.Caption, length))],
            tokenizer.Ids("", length),
            size,
            seed: 300,
            first
        );
        var right = QuickLook.Judge(questions, clips);
        journal.Fact("given frame colour and direction", right.Average(r => r is { Color: true, Direction: true } ? 1.0 : 0));
        PngSheet.Write(Path.Combine(options.Output, "given-frame.png"), cat([drawn.add(1).div(2).cpu(), clips], 4), 8, 4);
    }

    private void Save() => journal.Write(Path.Combine(options.Output, options.Curves));

    /// <summary>The tensors by name; views.</summary>
    internal static Dictionary<string, Tensor> Named(FlatParameters parameters, Tensor values)
    {
        var named = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        long at = 0;
        foreach (var entry in parameters.Entries)
        {
            named.Add(entry.Name, values.narrow(0, at, entry.Elements).view([.. entry.Shape]));
            at += entry.Elements;
        }
        return named;
    }

    private static Dictionary<string, Tensor> Below(Dictionary<string, Tensor> tensors, string prefix) =>
        tensors.Where(t => t.Key.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary(t => t.Key[prefix.Length..], t => t.Value);
}
