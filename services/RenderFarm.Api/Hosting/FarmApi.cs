using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using RenderFarm.Api.Errors;
using RenderFarm.Api.Health;
using RenderFarm.Api.Keys;
using RenderFarm.Api.Messaging;
using RenderFarm.Api.Metrics;
using RenderFarm.Api.Models;
using RenderFarm.Api.Plans;
using RenderFarm.Api.Requests;
using RenderFarm.Api.Videos;
using RenderFarm.Api.Workers;
using RenderFarm.Artifacts;
using RenderFarm.Jobs;
using Scalar.AspNetCore;

namespace RenderFarm.Api.Hosting;

/// <summary>The API as a list: what is in it, and in which order a request passes it.</summary>
public static class FarmApi
{
    public static WebApplication Build(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.Configuration.AddEmbeddedDefaults();
        var api = builder.AddSettings<ApiOptions>(ApiOptions.Section);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = BodyLimits.Default;
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
        builder.Services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        builder.Services.ConfigureHttpJsonOptions(json => Wire.Configure(json.SerializerOptions));

        // who is asking
        builder.AddSettings<KeysOptions>(KeysOptions.Section);
        builder.Services.AddAuthentication(ApiKeyAuthentication.SchemeName)
            .AddScheme<AuthenticationSchemeOptions, ApiKeyAuthentication>(ApiKeyAuthentication.SchemeName, null);
        builder.Services.AddAuthorizationBuilder().AddScopePolicies();
        builder.Services.AddSingleton<IAuthorizationMiddlewareResultHandler, ScopeRefusals>();

        // what the farm keeps, and how it tells
        builder.Services.AddJobs(builder.Configuration);
        builder.Services.AddArtifacts(builder.Configuration);
        builder.AddMessaging();

        // what a request goes through
        builder.AddSettings<VideosOptions>(VideosOptions.Section);
        builder.Services.AddSingleton<ModelCatalogue>();
        builder.Services.AddSingleton<LeastMemory>();
        builder.Services.AddSingleton<VideoSubmission>();
        builder.Services.AddSingleton<VideoPage>();

        // what can be seen from outside
        var metrics = builder.AddMetrics();
        builder.Services.AddFarmHealth();
        builder.Services.AddOpenApi();

        var app = builder.Build();
        app.Urls.Add(api.Url);
        if (metrics.Url.Length > 0)
        {
            app.Urls.Add(metrics.Url);
        }

        app.UseMiddleware<ErrorMiddleware>();
        app.UseMetrics(metrics);
        app.UseAuthentication();
        app.UseAuthorization();

        app.MapVideos();
        app.MapPlans();
        app.MapModels();
        app.MapWorkers();
        app.MapKeys();
        app.MapLeases();
        app.MapHealth();
        app.MapOpenApi();
        app.MapScalarApiReference();
        return app;
    }
}
