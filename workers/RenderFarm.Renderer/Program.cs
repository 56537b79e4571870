using RenderFarm.Cuda.Ways;
using RenderFarm.Renderer;
using RenderFarm.Renderer.Protocol;
using RenderFarm.Rendering.Hosting;
using RenderFarm.Verbs.Parsing;

NativeEnvironment.Prepare();
if (ForcedWay.Misnamed is { } misnamed)
{
    await Console.Error.WriteLineAsync($"error: {misnamed}");
    return VerbProgram.Failed;
}

// What a worker starts, to the letter: a job waits for this start, and the parser would take a tenth of it.
if (args is ["render", "--device", ("cpu" or "cuda") and var device])
{
    return NativeEnvironment.LeaveAtOnce(RenderVerb.Run(device));
}
return NativeEnvironment.LeaveAtOnce(await VerbProgram.RunAsync(RendererVerbs.Create(), args, Console.Error));
