using Microsoft.AspNetCore.Http;

namespace RenderFarm.Dashboard.Frame;

/// <summary>After a form: the next page, got anew.</summary>
internal static class Back
{
    public static IResult To(string path) => new SeeOther(path);

    /// <summary>Where the form said that the visitor was.</summary>
    public static async Task<IResult> ToAsync(HttpContext context, string otherwise)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var back = form["back"].ToString();
        return To(back is ['/', not '/' and not '\\', ..] && !back.Any(char.IsControl) ? back : otherwise);
    }

    private sealed class SeeOther(string path) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.StatusCode = StatusCodes.Status303SeeOther;
            httpContext.Response.Headers.Location = path;
            return Task.CompletedTask;
        }
    }
}
