using System.CommandLine;
using RenderFarm.Renderer.Cache;
using RenderFarm.Renderer.Calibration;
using RenderFarm.Renderer.Doctor;
using RenderFarm.Renderer.Process;
using RenderFarm.Renderer.Protocol;
using RenderFarm.Verbs.Bench;
using RenderFarm.Verbs.Figures;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Renderer;

/// <summary>What a worker and a doctor ask of this program, and nothing else.</summary>
internal static class RendererVerbs
{
    public static RootCommand Create()
    {
        var root = new RootCommand("RenderFarm's renderer: one process, one job")
        {
            Render(),
            Probe(),
            Calibrate(),
            new Command("cache", "Prepared weights of this host") { CheckCache() },
            SelfTest(),
            Doctor(),
        };
        root.HelpName = "RenderFarm.Renderer";
        return root;
    }

    private static Command Render()
    {
        var device = OptionKinds.Choice("--device", "Where to render", "cpu", "cpu", "cuda");
        var render = new Command("render", "Render one order: JSON lines on standard input and output; what a worker starts") { device };
        render.SetAction(parsed => RenderVerb.Run(parsed.GetRequiredValue(device)));
        return render;
    }

    private static Command Probe()
    {
        var device = OptionKinds.Choice("--device", "Which kind", "cpu", "cpu", "cuda");
        var probe = new Command("probe", "Which device this is and what computes rightly on it, as JSON: what a worker asks first")
        {
            device,
        };
        probe.SetAction(parsed =>
        {
            ParentWatch.Start();
            return ProbeRun.Run(parsed.GetRequiredValue(device));
        });
        return probe;
    }

    private static CalibrateVerb Calibrate()
    {
        var calibrate = new CalibrateVerb();
        var attended = new Option<bool>("--end-with-parent") { Description = "Die with who started this", Hidden = true };
        calibrate.Add(attended);
        calibrate.SetAction(parsed =>
        {
            if (parsed.GetValue(attended))
            {
                ParentWatch.Start();
            }

            return CalibrationRun.Run(parsed.GetValue(calibrate.Device), parsed.GetValue(calibrate.Into), parsed.GetValue(calibrate.Json));
        });
        return calibrate;
    }

    private static Command CheckCache()
    {
        var root = new Argument<string>("dir") { Description = "A host's weight cache" };
        var repair = new Option<bool>("--repair") { Description = "Remove what is damaged" };
        var json = new Option<bool>("--json") { Description = "An object a line" };
        var check = new Command("check", "Prepared weights against their checksums (1: something is damaged)") { root, repair, json };
        check.SetAction(parsed => CacheVerb.Check(parsed.GetRequiredValue(root), parsed.GetValue(repair), parsed.GetValue(json)));
        return check;
    }

    private static Command SelfTest()
    {
        var report = new ReportOptions();
        var selfTest = new Command(
            "selftest",
            "The processor's arithmetic against float64, every kernel against the plain tensors that define it (1: one is off)"
        );
        report.AddTo(selfTest);
        selfTest.SetAction(parsed => SelfTestVerb.Run(report.Begin(parsed, "selftest")));
        return selfTest;
    }

    private static Command Doctor()
    {
        var json = new Option<bool>("--json") { Description = "For programs; there is no other form" };
        var doctor = new Command("doctor", "What libtorch and the card can do here, as a JSON list of checks (1: something is lacking)")
        {
            json,
        };
        doctor.SetAction(_ => DoctorVerb.Run());
        return doctor;
    }
}
