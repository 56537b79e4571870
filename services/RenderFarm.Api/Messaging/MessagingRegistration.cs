using MassTransit;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using RenderFarm.Api.Events;
using RenderFarm.Api.Videos;
using RenderFarm.Hosting.Loops;
using RenderFarm.Hosting.Settings;
using RenderFarm.Jobs.Events;

namespace RenderFarm.Api.Messaging;

internal static class MessagingRegistration
{
    /// <summary>
    /// The bell and the courier that <c>Bus:Kind</c> names. The host starts without waiting for the broker, and a broker
    /// that is away is reported as degraded: jobs are taken and started all the same.
    /// </summary>
    public static void AddMessaging(this WebApplicationBuilder builder)
    {
        var settings = builder.Services.AddSettings<BusOptions, BusOptionsValidator>(builder.Configuration);
        if (!settings.IsRabbitMq)
        {
            builder.Services.AddSingleton<IBell, SilentBell>();
            builder.Services.AddSingleton<ICancelCourier, RenewalCourier>();
            builder.Services.AddSingleton<INoticeRelay, SilentRelay>();
            return;
        }

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
                        "renderfarm-api",
                        host =>
                        {
                            // A connection that died without a word is found out before a job is missed for it.
                            host.Heartbeat(TimeSpan.FromSeconds(10));
                            host.RequestedConnectionTimeout(TimeSpan.FromSeconds(5));
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
        builder.Services.AddSingleton<IBell, RabbitMqBell>();
        builder.Services.AddLoop<RabbitMqCourier>();
        builder.Services.AddSingleton<ICancelCourier>(services => services.GetRequiredService<RabbitMqCourier>());
        builder.Services.AddSingleton<BrokerPresence>();
        builder.Services.AddLoop<RabbitMqNotices>();
        builder.Services.AddSingleton<INoticeRelay>(services => services.GetRequiredService<RabbitMqNotices>());
        builder.Services.AddLoop<EventPublisher>();
        builder.Services.AddLoop<IntakeConsumer>();
    }

    /// <summary>MassTransit keeps its log for the whole process; a second farm in it would write to the first one's.</summary>
    public static void GiveBusItsLog(this IServiceProvider services) =>
        LogContext.ConfigureCurrentLogContext(services.GetRequiredService<ILoggerFactory>());
}
