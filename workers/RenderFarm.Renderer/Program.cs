using RenderFarm.Renderer;
using RenderFarm.Rendering.Hosting;
using RenderFarm.Verbs.Parsing;

NativeEnvironment.Prepare();
return NativeEnvironment.LeaveAtOnce(await VerbProgram.RunAsync(RendererVerbs.Create(), args, Console.Error));
