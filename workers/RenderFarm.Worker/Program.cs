using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Checks;
using RenderFarm.Hosting.Doctor;
using RenderFarm.Hosting.Folders;
using RenderFarm.Hosting.Settings;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Doctor;
using RenderFarm.Worker.Hosting;
using RenderFarm.Worker.Joining;

// Sessions, FIFOs, /proc, signals
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

PrivateFiles.ByDefault();
// 0: drained; 2: a setting that can't work, named on standard error; WorkerExit.Refused
try
{
    if (await DoctorVerb.RunAsync(args, "worker", LookAsync, Console.Out) is { } code)
    {
        return code;
    }

    var joined = await JoinedHost.JoinAsync(args, TimeProvider.System);
    await using var app = WorkerApplication.Build([.. args, .. joined]);
    await app.StartAsync();
    app.Logger.MetricsAt(app.Urls.Select(url => url + "/metrics"));
    await app.Services.GetRequiredService<FarmWorker>().RunAsync();
    await app.StopAsync();
    return 0;
}
catch (OptionsValidationException fault)
{
    return await fault.TellAsync("renderfarm-worker", Console.Error);
}
catch (WorkerSettingException fault)
{
    await Console.Error.WriteLineAsync($"renderfarm-worker: {fault.Message}");
    return fault.ExitCode;
}

static IAsyncEnumerable<HostCheck> LookAsync(string[] settings) => WorkerDoctor.LookAsync([.. settings, .. JoinedHost.Settings(settings)]);
