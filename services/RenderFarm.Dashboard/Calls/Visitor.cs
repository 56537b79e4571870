using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace RenderFarm.Dashboard.Calls;

/// <summary>Whoever looks at a page: asks the farm in their name, and reads what it answers.</summary>
public sealed class Visitor(IFarm farm, HttpContext context)
{
    /// <summary>Field of every form, and header of what scripts send.</summary>
    public const string CsrfField = "csrf";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    public HttpContext Context { get; } = context;

    /// <exception cref="FarmRefusalException">The farm said no.</exception>
    public Task<T> GetAsync<T>(string path) => SendAsync<T>(new FarmCall(HttpMethods.Get, path));

    /// <summary>Null where there is no such thing.</summary>
    public async Task<T?> FindAsync<T>(string path)
        where T : class
    {
        var answer = await farm.SendAsync(Context, new FarmCall(HttpMethods.Get, path), Context.RequestAborted);
        return answer.Status == StatusCodes.Status404NotFound ? null : Read<T>(answer);
    }

    /// <summary>Changes something, with what the visitor's form has shown for it.</summary>
    public async Task<T> ChangeAsync<T>(string method, string path, JsonNode? body = null)
    {
        var form = await Context.Request.ReadFormAsync(Context.RequestAborted);
        return await SendAsync<T>(new FarmCall(method, path, body, form[CsrfField].ToString()));
    }

    private async Task<T> SendAsync<T>(FarmCall call) => Read<T>(await farm.SendAsync(Context, call, Context.RequestAborted));

    private static T Read<T>(FarmAnswer answer) =>
        answer.IsGood ? answer.Body.Deserialize<T>(Json)! : throw new FarmRefusalException(FarmRefusal.Of(answer));
}
