using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using RenderFarm.Contracts.Checks;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Broker;

/// <summary>A doctor's look at the broker: by the client library itself, for a bus only gives up when its patience is over.</summary>
public static class BrokerCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static async Task<HostCheck> LookAsync(BusOptions bus)
    {
        ArgumentNullException.ThrowIfNull(bus);
        if (!bus.IsRabbitMq)
        {
            return HostCheck.Without("broker", "none set: work comes by long poll");
        }

        var factory = new ConnectionFactory { Uri = new Uri(bus.Uri), RequestedConnectionTimeout = Patience };
        var shown = $"{factory.Endpoint.HostName}:{factory.Endpoint.Port}";
        try
        {
            await using var connection = await factory.CreateConnectionAsync("renderfarm-doctor");
            return HostCheck.Ok("broker", $"{shown} takes connections");
        }
        catch (Exception fault)
            when (fault is BrokerUnreachableException or AuthenticationFailureException or OperationInterruptedException or IOException)
        {
            var why =
                fault.InnerException is AuthenticationFailureException
                    ? "user or password is refused"
                    : fault.InnerException?.Message ?? fault.Message;
            return HostCheck.Lacks(
                "broker",
                $"{shown}: {why}",
                "start RabbitMQ there, or correct Bus:Uri; until then jobs start by long poll"
            );
        }
    }
}
