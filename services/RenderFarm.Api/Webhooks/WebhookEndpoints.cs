using System.Text.Json.Serialization;
using RenderFarm.Api.Errors;
using RenderFarm.Api.Keys;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs;
using RenderFarm.Jobs.Users;
using RenderFarm.Jobs.Webhooks;

namespace RenderFarm.Api.Webhooks;

/// <summary>What a key's webhooks are signed with, and what became of each delivery.</summary>
internal static class WebhookEndpoints
{
    public static void MapWebhooks(this IEndpointRouteBuilder routes)
    {
        routes
            .MapPost(
                "/v1/webhooks/secret",
                async (HttpContext context, WebhookSecrets secrets, CancellationToken cancellationToken) =>
                    new WebhookSecret(await secrets.ReplaceAsync(context.Caller().Id, cancellationToken))
            )
            .WithTags("Webhooks")
            .RequireScope(Scopes.Submit)
            .WithSummary("A new secret for this key's webhooks, shown this once; the old one signs nothing from now on");
        routes
            .MapGet("/v1/videos/{id}/webhooks", DeliveriesAsync)
            .WithTags("Webhooks")
            .RequireScope(Scopes.Read)
            .WithSummary("Deliveries to the video's webhook, with their tries")
            .Produces<WebhookDeliveryList>();
    }

    private static async Task<WebhookDeliveryList> DeliveriesAsync(
        string id,
        HttpContext context,
        JobStore jobs,
        DeliveryStore deliveries,
        CancellationToken cancellationToken
    )
    {
        _ = await jobs.GetAsync(id, context.Caller().Jobs, cancellationToken) ?? throw ApiError.NotFound("video", id).AsException();
        return new WebhookDeliveryList([.. (await deliveries.OfJobAsync(id, cancellationToken)).Select(WebhookDelivery.Of)]);
    }
}

internal sealed record WebhookSecret(string Secret)
{
    public string Object { get; } = "webhook.secret";
}

internal sealed record WebhookDelivery
{
    /// <summary>What the receiver sees as <c>webhook-id</c>.</summary>
    public required string Id { get; init; }
    public string Object { get; } = "webhook.delivery";
    public required VideoEvent Type { get; init; }
    public required string Url { get; init; }
    public required DeliveryState Status { get; init; }
    public required int Tries { get; init; }
    public required long CreatedAt { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? NextTryAt { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? FinishedAt { get; init; }
    public required IReadOnlyList<WebhookTry> Log { get; init; }

    public static WebhookDelivery Of(Delivery delivery) =>
        new()
        {
            Id = FormattableString.Invariant($"evt_{delivery.Position}"),
            Type = delivery.Type,
            Url = delivery.Url,
            Status = delivery.State,
            Tries = delivery.Tries,
            CreatedAt = delivery.OccurredAt.ToUnixTimeSeconds(),
            NextTryAt = delivery.NextTryAt?.ToUnixTimeSeconds(),
            FinishedAt = delivery.FinishedAt?.ToUnixTimeSeconds(),
            Log = [.. delivery.Log.Select(made => new WebhookTry(made.At.ToUnixTimeSeconds(), made.Seconds, made.Status, made.Error))],
        };
}

/// <param name="Status">What the receiver answered; null when it did not.</param>
internal sealed record WebhookTry(long At, double Seconds, int? Status, string? Error);

internal sealed record WebhookDeliveryList(IReadOnlyList<WebhookDelivery> Data)
{
    public string Object { get; } = "list";
}
