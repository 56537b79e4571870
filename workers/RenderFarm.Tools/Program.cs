using RenderFarm.Rendering.Hosting;
using RenderFarm.Tools;
using RenderFarm.Verbs.Parsing;

NativeEnvironment.Prepare();
return NativeEnvironment.LeaveAtOnce(await VerbProgram.RunAsync(ToolVerbs.Create(), args, Console.Error));
