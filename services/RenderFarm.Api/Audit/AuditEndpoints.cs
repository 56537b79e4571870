using System.Globalization;
using RenderFarm.Api.Errors;
using RenderFarm.Api.Keys;
using RenderFarm.Contracts.Words;
using RenderFarm.Jobs.Maintenance;

namespace RenderFarm.Api.Audit;

/// <summary><c>/v1/audit</c>: what is stored and belongs to nothing, for administrators.</summary>
internal static class AuditEndpoints
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 1_000;
    private static readonly string[] Known = ["older_than", "limit", "after"];

    public static void MapAudit(this IEndpointRouteBuilder routes)
    {
        var audit = routes.MapGroup("/v1/audit/artifacts").WithTags("Audit").RequireScope(Scopes.Admin);
        audit.MapGet("/", ListAsync)
            .WithSummary("Stored objects that no row knows of; after a restore of the database one may be the only copy of a video")
            .Produces<UnclaimedList>();
        audit.MapDelete("/", RemoveAsync)
            .WithSummary("Removes up to `limit` of them, each judged again just before; answers with what was removed")
            .Produces<UnclaimedList>();
    }

    private static async Task<UnclaimedList> ListAsync(HttpRequest request, ArtifactAudit audit, CancellationToken cancellationToken)
    {
        var (age, limit) = Read(request.Query, Known);
        var after = request.Query["after"].ToString();
        var found = await audit.ListAsync(age, limit, after.Length == 0 ? null : after, cancellationToken);
        return UnclaimedList.Of(found.Take(limit), found.Count > limit);
    }

    private static async Task<UnclaimedList> RemoveAsync(HttpRequest request, ArtifactAudit audit, CancellationToken cancellationToken)
    {
        var (age, limit) = Read(request.Query, Known[..2]);
        var removed = await audit.RemoveAsync(age, limit, cancellationToken);
        return UnclaimedList.Of(removed, removed.Count == limit);
    }

    private static (TimeSpan Age, int Limit) Read(IQueryCollection query, string[] known)
    {
        if (query.Keys.FirstOrDefault(key => !known.Contains(key)) is { } stray)
        {
            throw ApiError.UnknownParameter(stray, NearestName.To(stray, known)).AsException();
        }

        return (AgeOf(query["older_than"].ToString()), LimitOf(query["limit"].ToString()));
    }

    private static TimeSpan AgeOf(string text) =>
        text.Length == 0 ? ArtifactAudit.UsualAge
        : Age.TryParse(text, out var age) && age >= ArtifactAudit.LeastAge ? age
        : throw ApiError.InvalidValue("older_than", $"'older_than' is '{text}'; {Age.Accepted}, at least 1h, is expected.").AsException();

    private static int LimitOf(string text) =>
        text.Length == 0 ? DefaultLimit
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit is >= 1 and <= MaxLimit ? limit
        : throw ApiError.InvalidValue("limit", $"'limit' is '{text}'; a whole number from 1 to {MaxLimit} is expected.").AsException();
}

internal sealed record UnclaimedArtifact(string Key, long SizeBytes, long LastModified)
{
    public string Object { get; } = "artifact.unclaimed";
}

internal sealed record UnclaimedList(IReadOnlyList<UnclaimedArtifact> Data, bool HasMore, string? LastId)
{
    public string Object { get; } = "list";

    public static UnclaimedList Of(IEnumerable<UnclaimedObject> found, bool hasMore)
    {
        UnclaimedArtifact[] data =
        [
            .. found.Select(one => new UnclaimedArtifact(one.Key, one.SizeBytes, one.LastModified.ToUnixTimeSeconds())),
        ];
        return new UnclaimedList(data, hasMore, data.LastOrDefault()?.Key);
    }
}
