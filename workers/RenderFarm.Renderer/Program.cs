using RenderFarm.Renderer;
using RenderFarm.Rendering.Hosting;
using RenderFarm.Verbs.Parsing;

NativeEnvironment.Prepare();
return NativeEnvironment.LeaveAtOnce(
    await VerbProgram.RunAsync(RendererVerbs.Create(args.Length > 0 ? args[0] : null), args, Console.Error)
);
