using Microsoft.Extensions.Options;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Doctor;
using RenderFarm.Worker.Hosting;

// Sessions, FIFOs, /proc, signals
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

// 0: drained; 2: a setting that can't work, named on standard error
if (args is ["doctor", .. var arguments])
{
    return await DoctorVerb.RunAsync([.. arguments.Where(argument => argument != "--json")]);
}

try
{
    await using var app = WorkerApplication.Build(args);
    await app.StartAsync();
    app.Logger.MetricsAt(app.Urls.Select(url => url + "/metrics"));
    await app.Services.GetRequiredService<FarmWorker>().RunAsync();
    await app.StopAsync();
    return 0;
}
catch (OptionsValidationException fault)
{
    foreach (var failure in fault.Failures)
    {
        await Console.Error.WriteLineAsync(failure);
    }

    return 2;
}
catch (WorkerSettingException fault)
{
    await Console.Error.WriteLineAsync(fault.Message);
    return 2;
}
catch (InvalidOperationException fault) when (fault.InnerException is FormatException or ArgumentException)
{
    await Console.Error.WriteLineAsync(fault.Message); // The binder names the key whose value has the wrong type
    return 2;
}
