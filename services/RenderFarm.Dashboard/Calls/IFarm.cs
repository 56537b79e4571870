using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace RenderFarm.Dashboard.Calls;

/// <summary>
/// The farm's HTTP interface, as the page asks it: each call goes through the operation that anybody's request goes through, with the
/// visitor's own cookie, scopes, limits and refusals.
/// </summary>
public interface IFarm
{
    Task<FarmAnswer> SendAsync(HttpContext visitor, FarmCall call, CancellationToken cancellationToken);
}

/// <param name="Path">With its query, such as <c>/v1/videos?limit=20</c>.</param>
/// <param name="Csrf">What the visitor's form carried; null where nothing is changed.</param>
public sealed record FarmCall(string Method, string Path, JsonNode? Body = null, string? Csrf = null);

/// <param name="Body">Undefined where the answer has none.</param>
public sealed record FarmAnswer(int Status, JsonElement Body)
{
    public bool IsGood => Status is >= 200 and < 300;
}
