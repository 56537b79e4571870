using RenderFarm.Cuda.Ways;
using RenderFarm.Rendering.Hosting;
using RenderFarm.Tools;
using RenderFarm.Verbs.Parsing;

NativeEnvironment.Prepare();
if ((ForcedWay.Misnamed ?? LibTorchLoader.WhyNot) is { } reason)
{
    await Console.Error.WriteLineAsync($"error: {reason}");
    return VerbProgram.Failed;
}

return NativeEnvironment.LeaveAtOnce(await VerbProgram.RunAsync(ToolVerbs.Create(), args, Console.Error));
