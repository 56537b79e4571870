using RenderFarm.Api.Events;
using RenderFarm.Api.Videos;
using RenderFarm.Api.Workers;
using RenderFarm.Broker;
using RenderFarm.Hosting.Loops;
using RenderFarm.Hosting.Settings;
using RenderFarm.Jobs.Events;

namespace RenderFarm.Api.Messaging;

internal static class MessagingRegistration
{
    /// <summary>
    /// The bell, the courier and the relay that <c>Bus:Kind</c> names.
    /// </summary>
    public static void AddMessaging(this WebApplicationBuilder builder)
    {
        var settings = builder.Services.AddSettings<BusOptions, BusOptionsValidator>(builder.Configuration);
        if (!settings.IsRabbitMq)
        {
            builder.Services.AddSingleton<IBell, SilentBell>();
            builder.Services.AddSingleton<ICancelCourier, RenewalCourier>();
            builder.Services.AddSingleton<INoticeRelay, SilentRelay>();
            builder.Services.AddSingleton<IWorkerBroker, NoWorkerBroker>();
            return;
        }

        builder.AddBroker(settings, "renderfarm-api");
        builder.Services.AddSingleton<IBell, RabbitMqBell>();
        builder.Services.AddLoop<RabbitMqCourier>();
        builder.Services.AddSingleton<ICancelCourier>(services => services.GetRequiredService<RabbitMqCourier>());
        builder.Services.AddSingleton<BrokerPresence>();
        builder.Services.AddLoop<RabbitMqNotices>();
        builder.Services.AddSingleton<INoticeRelay>(services => services.GetRequiredService<RabbitMqNotices>());
        builder.Services.AddLoop<EventPublisher>();
        if (settings.ManagementUri.Length == 0)
        {
            builder.Services.AddSingleton<IWorkerBroker, NoWorkerBroker>();
        }
        else
        {
            builder.Services.AddSingleton<RabbitMqWorkers>();
            builder.Services.AddSingleton<IWorkerBroker>(services => services.GetRequiredService<RabbitMqWorkers>());
            builder.Services.AddLoop<RevokedUsers>();
        }

        builder.Services.AddLoop<IntakeConsumer>();
    }
}
