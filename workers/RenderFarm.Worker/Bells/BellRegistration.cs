using RenderFarm.Broker;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Worker.Bells;

internal static class BellRegistration
{
    /// <summary>What hears bells, on the broker that <c>Bus:Kind</c> names; without one nothing rings.</summary>
    public static void AddBells(this WebApplicationBuilder builder)
    {
        var settings = builder.Services.AddSettings<BusOptions, BusOptionsValidator>(builder.Configuration);
        if (settings.IsRabbitMq)
        {
            builder.AddBroker(settings, "renderfarm-worker");
        }

        builder.Services.AddSingleton<Doorbell>().AddSingleton<BellListener>();
    }
}
