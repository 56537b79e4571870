using RenderFarm.Renderer;
using RenderFarm.Renderer.Bench;
using RenderFarm.Renderer.Cache;
using RenderFarm.Renderer.Calibration;
using RenderFarm.Renderer.Doctor;
using RenderFarm.Renderer.Models;
using RenderFarm.Renderer.Parity;
using RenderFarm.Renderer.Process;
using RenderFarm.Renderer.Protocol;

NativeEnvironment.Prepare();
return args switch
{
    ["render", .. var rest] => LeaveAtOnce(RenderVerb.Run(rest)),
    ["parity", .. var rest] => LeaveAtOnce(ParityCommand.Run(rest, Console.Out)),
    ["models", .. var rest] => LeaveAtOnce(ModelsVerb.Run(rest)),
    ["bench", "calibrate", .. var rest] => LeaveAtOnce(CalibrateVerb.Run(rest)),
    ["doctor", ..] => LeaveAtOnce(DoctorVerb.Run()),
    ["cache", .. var rest] => LeaveAtOnce(CacheVerb.Run(rest)),
    ["bench", .. var rest] => LeaveAtOnce(BenchCommand.Run(rest)),
    ["--help" or "-h" or "help"] => Help.Print(),
    [] => ExitCodes.Usage(Help.Text),
    [var unknown, ..] => ExitCodes.Usage($"unknown verb '{unknown}'\n\n{Help.Text}"),
};

// libtorch takes the better part of a second to tear itself down, while the worker waits for the slot
static int LeaveAtOnce(int code)
{
    LibC.ExitNow(code);
    return code;
}
