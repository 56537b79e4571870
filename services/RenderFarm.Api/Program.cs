using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using RenderFarm.Api.Composition;
using RenderFarm.Api.Health;
using RenderFarm.Api.Hosting;

if (args is ["doctor", .. var asked])
{
    return await DoctorVerb.RunAsync([.. asked.Where(argument => argument != "--json")]);
}

// A bad setting is one line that names its key, not a stack trace.
try
{
    await using var app = FarmApi.Build(args);
    await app.ServeAsync();
    return 0;
}
catch (OptionsValidationException e)
{
    foreach (var fault in e.Failures)
    {
        await Console.Error.WriteLineAsync($"renderfarm-api: {fault}");
    }

    return 2;
}
catch (Exception e) when (e is SocketException or IOException { InnerException: AddressInUseException })
{
    await Console.Error.WriteLineAsync($"renderfarm-api: Api:Url or Metrics:Url: {e.Message}");
    return 2;
}
