using System.CommandLine;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Training.Stages;
using RenderFarm.Training.Text;
using RenderFarm.Verbs.Parsing;
using static TorchSharp.torch;

namespace RenderFarm.Training;

/// <summary>The trainer's verbs: the stages together or alone, and what looks at them.</summary>
internal static class TrainingVerbs
{
    private const int CaptionsShown = 200;
    private const int CaptionsSeed = 2026;

    public static RootCommand Create(TextWriter output)
    {
        var root = new RootCommand("Trains the demo model")
        {
            Stage(
                "all",
                "Everything, one stage after the other",
                output,
                run =>
                {
                    run.Vae();
                    run.Text();
                    run.Denoiser();
                }
            ),
            Stage("vae", "The VAE alone", output, run => run.Vae()),
            Stage("text", "The text encoder alone", output, run => run.Text()),
            Stage(
                "decoder",
                "The VAE's decoder learns on: its encoder is finished, and so is a DiT on its latents",
                output,
                run => run.Vae()
            ),
            Stage("denoiser", "The DiT alone: VAE and text encoder are finished", output, run => run.Denoiser()),
            Captions(output),
            Profile(output),
        };
        root.HelpName = "RenderFarm.Training";
        return root;
    }

    private static Command Stage(string name, string description, TextWriter output, Action<TrainingRun> train) =>
        Verb(name, description, output, (options, journal) => train(new TrainingRun(options, journal)));

    private static Command Profile(TextWriter output) =>
        Verb(
            "profile",
            "Seconds of each part of a step; trains nothing",
            output,
            (options, journal) => new Profile(options, journal).Run()
        );

    private static Command Captions(TextWriter output)
    {
        var captions = new Command("captions", $"Print {CaptionsShown} captions that it is not trained on");
        captions.SetAction(_ =>
        {
            foreach (var question in HeldOutQuestions.Draw(CaptionsShown, CaptionsSeed))
            {
                output.WriteLine(question.Caption);
            }
            return VerbProgram.Done;
        });
        return captions;
    }

    private static Command Verb(string name, string description, TextWriter output, Action<TrainingOptions, Journal> run)
    {
        var choices = new TrainingChoices();
        var verb = new Command(name, description);
        choices.AddTo(verb);
        verb.SetAction(parsed =>
        {
            try
            {
                var options = choices.Read(parsed);
                Directory.CreateDirectory(options.Output);
                if (options.OnCard)
                {
                    backends.cuda.matmul.allow_tf32 = true;
                    backends.cudnn.allow_tf32 = true;
                }
                manual_seed(options.Seed);
                var journal = new Journal(output);
                run(options, journal);
                journal.Say("done");
                return VerbProgram.Done;
            }
            catch (Exception error) when (error is CheckpointException or IOException or UnauthorizedAccessException)
            {
                var remedy = name is "denoiser" or "decoder" ? "; it goes on from what vae and text leave in --out and --state" : "";
                throw new VerbException($"{error.Message}{remedy}");
            }
        });
        return verb;
    }
}
