using System.Text.Json.Nodes;
using RenderFarm.Api.Errors;
using RenderFarm.Api.Requests;
using RenderFarm.Jobs.Keys;

namespace RenderFarm.Api.Keys;

/// <summary><c>/v1/keys</c>, for administrators.</summary>
public static class KeyEndpoints
{
    public static void MapKeys(this IEndpointRouteBuilder routes)
    {
        var keys = routes.MapGroup("/v1/keys").WithTags("Keys").RequireScope(Scopes.Admin);
        keys.MapGet("/", async (ApiKeys store, CancellationToken cancel) =>
            new KeyList([.. (await store.ListAsync(cancel)).Select(key => KeyView.Of(key))])).WithSummary("Keys that work; never their secrets");
        keys.MapPost("/", CreateAsync).WithSummary("A new key; its secret is shown this once").Accepts<KeyFields>("application/json").Produces<KeyView>();
        keys.MapDelete("/{id}", async (string id, ApiKeys store, CancellationToken cancel) =>
            await store.RevokeAsync(id, cancel) ? new DeletedKey(id) : throw ApiError.NotFound("key", id).AsException()).WithSummary("The key stops working; its videos stay");
    }

    private static async Task<KeyView> CreateAsync(HttpContext context, ApiKeys store, CancellationToken cancel)
    {
        var body = await BodyReader.ReadAsync(context.Request, cancel);
        var fields = new FieldReader(body.Fields);
        var name = fields.Text("name", 100, mayBeEmpty: false) ?? throw fields.Invalid("name", "is required");
        var scopes = ScopesOf(fields, body.Fields["scopes"]);
        var ceiling = (int)(fields.Whole("priority_ceiling", 0, 100) ?? 100);
        fields.RefuseRest();
        var made = await store.CreateAsync(name, scopes, ceiling, cancel);
        return KeyView.Of(made.Key) with { Key = made.Secret };
    }

    private static KeyScopes ScopesOf(FieldReader fields, JsonNode? node)
    {
        if (!fields.Has("scopes"))
        {
            return KeyScopes.Submit | KeyScopes.Read;
        }

        var words = (node as JsonArray)?.Select(item => item?.ToString() ?? "").ToList() ?? [];
        return words.Count > 0 && words.All(Scopes.All.Contains)
            ? Scopes.Parse(words)
            : throw fields.Invalid("scopes", $"must be a list of {string.Join(", ", Scopes.All)}");
    }
}

public sealed record KeyFields(string Name, IReadOnlyList<string>? Scopes, int? PriorityCeiling);

public sealed record KeyView
{
    public required string Id { get; init; }
    public string Object => "api_key";
    public required string Name { get; init; }
    public required IReadOnlyList<string> Scopes { get; init; }
    public required int PriorityCeiling { get; init; }
    public required long CreatedAt { get; init; }

    /// <summary>The secret; only in the answer to its making.</summary>
    [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
    public string? Key { get; init; }

    public static KeyView Of(ApiKey key) => new()
    {
        Id = key.Id,
        Name = key.Name,
        Scopes = Api.Keys.Scopes.Words(key.Scopes),
        PriorityCeiling = key.PriorityCeiling,
        CreatedAt = key.CreatedAt.ToUnixTimeSeconds(),
    };
}

public sealed record KeyList(IReadOnlyList<KeyView> Data)
{
    public string Object => "list";
}

public sealed record DeletedKey(string Id)
{
    public string Object => "api_key.deleted";
    public bool Deleted => true;
}
