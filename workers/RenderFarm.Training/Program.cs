using RenderFarm.Rendering.Hosting;
using RenderFarm.Training;
using RenderFarm.Verbs.Parsing;

if (LibTorchLoader.WhyNot is { } reason)
{
    await Console.Error.WriteLineAsync($"error: {reason}");
    return VerbProgram.Failed;
}

return await VerbProgram.RunAsync(TrainingVerbs.Create(Console.Out), args, Console.Error);
