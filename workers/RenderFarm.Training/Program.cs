using RenderFarm.Training;
using RenderFarm.Verbs.Parsing;

return await VerbProgram.RunAsync(TrainingVerbs.Create(Console.Out), args, Console.Error);
