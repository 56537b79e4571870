using System.Globalization;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Planning.Models;
using RenderFarm.Training.Clips;
using RenderFarm.Training.Looks;
using RenderFarm.Training.Stages;
using static TorchSharp.torch;

namespace RenderFarm.Training;

internal static class CommandLine
{
    private const string Usage = """
        training: trains the demo model

          training all | vae | text | decoder | denoiser --out DIR [options]
                                    denoiser: VAE and text encoder are finished
                                    decoder: the VAE's encoder is finished, and so is a DiT on its latents; the decoder learns on
          training captions         prints 200 captions that it is not trained on
          training profile --out DIR [options]      seconds of each part of a step; trains nothing

          --out DIR                 weights (DIR/demo), curves.json (of one verb: VERB.json) and pictures go there
          --state DIR               where a stage can be taken up from again (default: DIR/state)
          --device cuda|cpu         default: cuda where there is one
          --vae-seconds N           default 600
          --text-seconds N          default 120
          --denoiser-seconds N      default 560
          --batch N                 clips of one step of the DiT (default 512)
          --vae-batch N             windows of one step of the VAE (default 48)
          --vae-rate X, --rate X    peak rates of learning (default 1.5e-3, 1e-3)
          --seed N                  default 1
          --small                   a few small clips a step: to see that it runs
        """;

    public static int Run(IReadOnlyList<string> args, TextWriter output, TextWriter errors)
    {
        if (args is [] or ["--help" or "-h" or "help"])
        {
            output.WriteLine(Usage);
            return 0;
        }
        var verb = args[0];
        if (verb == "captions")
        {
            foreach (var question in QuickLook.Questions(200, seed: 2026))
            {
                output.WriteLine(question.Caption);
            }

            return 0;
        }
        try
        {
            if (verb is not ("all" or "vae" or "text" or "decoder" or "denoiser" or "profile"))
            {
                throw new ArgumentException($"unknown verb '{verb}'; use all, vae, text, decoder, denoiser, captions or profile");
            }

            var options = Read(args);
            Directory.CreateDirectory(options.Output);
            if (options.OnCard)
            {
                backends.cuda.matmul.allow_tf32 = true;
                backends.cudnn.allow_tf32 = true;
            }
            manual_seed(options.Seed);
            var journal = new Journal(output);
            if (verb == "profile")
            {
                new Profile(options, journal).Run();
            }

            var run = new TrainingRun(options, journal);
            if (verb is "all" or "vae" or "decoder")
            {
                run.Vae();
            }

            if (verb is "all" or "text")
            {
                run.Text();
            }

            if (verb is "all" or "denoiser")
            {
                run.Denoiser();
            }

            journal.Say("done");
            return 0;
        }
        catch (ArgumentException error)
        {
            errors.WriteLine($"training: {error.Message}\n\n{Usage}");
            return 2;
        }
        catch (Exception error) when (error is CheckpointException or IOException or UnauthorizedAccessException)
        {
            var remedy = verb is "denoiser" or "decoder" ? "; it goes on from what vae and text leave in --out and --state" : "";
            errors.WriteLine($"training: {error.Message}{remedy}");
            return 1;
        }
    }

    private static TrainingOptions Read(IReadOnlyList<string> args)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        var small = false;
        for (var i = 1; i < args.Count; i++)
        {
            if (args[i] == "--small")
            {
                small = true;
            }
            else if (!args[i].StartsWith("--", StringComparison.Ordinal) || i + 1 == args.Count)
            {
                throw new ArgumentException($"'{args[i]}' is no option with a value");
            }
            else
            {
                values[args[i][2..]] = args[++i];
            }
        }
        string[] known =
        [
            "out", "state", "device", "vae-seconds", "text-seconds", "denoiser-seconds", "batch", "vae-batch",
            "vae-rate", "rate", "seed",
        ];
        if (values.Keys.FirstOrDefault(key => !known.Contains(key)) is { } unknown)
        {
            throw new ArgumentException($"unknown option --{unknown}");
        }

        if (!values.TryGetValue("out", out var folder))
        {
            throw new ArgumentException("--out is missing");
        }

        var standard = new TrainingOptions
        {
            Shape = ModelShapes.Demo,
            Output = folder,
            Curves = args[0] == "all" ? "curves.json" : $"{args[0]}.json",
            State = values.GetValueOrDefault("state") ?? Path.Combine(folder, "state"),
            Device = new Device(
                values.GetValueOrDefault("device") switch
                {
                    null => cuda.is_available() ? "cuda" : "cpu",
                    "cuda" or "cpu" => values["device"],
                    var other => throw new ArgumentException($"--device is '{other}'; use cuda or cpu"),
                }
            ),
            DecoderOnly = args[0] == "decoder",
        };
        var options = standard with
        {
            Seed = (long)Number("seed", standard.Seed),
            VaeSeconds = Number("vae-seconds", standard.VaeSeconds),
            TextSeconds = Number("text-seconds", standard.TextSeconds),
            DenoiserSeconds = Number("denoiser-seconds", standard.DenoiserSeconds),
            Batch = (int)Number("batch", small ? 4 : standard.Batch),
            VaeBatch = (int)Number("vae-batch", small ? 2 : standard.VaeBatch),
            VaeRate = Number("vae-rate", standard.VaeRate),
            DenoiserRate = Number("rate", standard.DenoiserRate),
        };
        return !small
            ? options
            : options with
            {
                Sizes = [(new ClipSize(64, 64, 9), 0.8), (new ClipSize(64, 64, 5), 0.2)],
                Windows = [(new ClipSize(32, 32, 5), 0.8, 1), (new ClipSize(48, 48, 9), 0.2, 0.5)],
                Pool = 64,
                Looks = 4,
                Every = 5,
            };

        double Number(string name, double otherwise) =>
            !values.TryGetValue(name, out var text) ? otherwise
            : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= 0 ? number
            : throw new ArgumentException($"--{name} is '{text}'; a number is needed");
    }
}
