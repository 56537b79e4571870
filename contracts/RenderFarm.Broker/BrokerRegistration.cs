using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Broker;

/// <summary>The one connection that a process has to the broker.</summary>
public static class BrokerRegistration
{
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Registers the bus that <c>Bus:Uri</c> names. The host starts without waiting for the broker, and a broker that is away is
    /// reported as degraded: jobs are taken and started all the same.
    /// </summary>
    /// <param name="builder">Of the process.</param>
    /// <param name="settings">Of kind <see cref="BusKind.RabbitMq"/>.</param>
    /// <param name="name">What the broker shows for the connection.</param>
    public static void AddBroker(this WebApplicationBuilder builder, BusOptions settings, string name)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(settings);
        if (builder.Configuration["Logging:LogLevel:MassTransit"] is null)
        {
            // It warns of every try to connect, and there is one a second: whoever waits for the broker says so himself, once.
            builder.Logging.AddFilter("MassTransit", LogLevel.Error);
        }

        builder.Services.AddMassTransit(bus =>
        {
            bus.ConfigureHealthCheckOptions(health => health.MinimalFailureStatus = HealthStatus.Degraded);
            bus.UsingRabbitMq(
                (_, broker) =>
                    broker.Host(
                        new Uri(settings.Uri),
                        name,
                        host =>
                        {
                            // A connection that died without a word is found out before a job is missed for it.
                            host.Heartbeat(TimeSpan.FromSeconds(10));
                            host.RequestedConnectionTimeout(ConnectPatience);
                        }
                    )
            );
        });
        builder.Services.Configure<MassTransitHostOptions>(host =>
        {
            host.WaitUntilStarted = false;
            host.StopTimeout = TimeSpan.FromSeconds(3);
            // What is in hand then lies in its queue again.
            host.ConsumerStopTimeout = TimeSpan.FromMilliseconds(100);
        });
    }

    /// <summary>MassTransit keeps its log for the whole process; a second farm in it would write to the first one's.</summary>
    public static void GiveBusItsLog(this IHost host)
    {
        ArgumentNullException.ThrowIfNull(host);
        LogContext.ConfigureCurrentLogContext(host.Services.GetRequiredService<ILoggerFactory>());
    }
}
