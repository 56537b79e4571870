using Microsoft.Extensions.Options;
using RenderFarm.Hosting.Doctor;
using RenderFarm.Hosting.Folders;
using RenderFarm.Hosting.Settings;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Doctor;
using RenderFarm.Worker.Hosting;

// Sessions, FIFOs, /proc, signals
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

PrivateFiles.ByDefault();
// 0: drained; 2: a setting that can't work, named on standard error
try
{
    if (await DoctorVerb.RunAsync(args, "worker", WorkerDoctor.LookAsync, Console.Out) is { } code)
    {
        return code;
    }

    await using var app = WorkerApplication.Build(args);
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
    return SettingsFaults.ExitCode;
}
