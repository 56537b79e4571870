using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using RenderFarm.Api.Composition;
using RenderFarm.Api.Doctor;
using RenderFarm.Api.Hosting;
using RenderFarm.Hosting.Doctor;
using RenderFarm.Hosting.Folders;
using RenderFarm.Hosting.Settings;

PrivateFiles.ByDefault();
// A bad setting is one line that names its key, not a stack trace.
try
{
    if (await DoctorVerb.RunAsync(args, "api", ApiDoctor.LookAsync, Console.Out) is { } code)
    {
        return code;
    }

    await FarmApi.Build(args).ServeToTheEndAsync();
    return 0;
}
catch (OptionsValidationException e)
{
    return await e.TellAsync("renderfarm-api", Console.Error);
}
catch (Exception e) when (e is SocketException or IOException { InnerException: AddressInUseException })
{
    await Console.Error.WriteLineAsync($"renderfarm-api: Api:Url or Metrics:Url: {e.Message}");
    return SettingsFaults.ExitCode;
}
