using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using RenderFarm.Dashboard.Calls;
using RenderFarm.Dashboard.Frame;

namespace RenderFarm.Dashboard.Farm;

/// <summary>API keys: made, changed, given another secret, revoked. A secret is drawn in the answer to its making alone.</summary>
internal static class KeyPages
{
    public static void MapKeyPages(this IEndpointRouteBuilder pages)
    {
        pages.MapGet("/farm/keys", ListAsync);
        pages.MapPost("/farm/keys", CreateAsync);
        pages.MapGet("/farm/keys/{id}", ShowAsync);
        pages.MapPost("/farm/keys/{id}", EditAsync);
        pages.MapPost("/farm/keys/{id}/rotate", RotateAsync);
        pages.MapPost("/farm/keys/{id}/revoke", RevokeAsync);
    }

    private static async Task<IResult> ListAsync(HttpContext context, PageRenderer renderer) =>
        await DrawListAsync(await renderer.BeginAsync(context), renderer, KeyForm.Empty, null);

    private static async Task<IResult> CreateAsync(HttpContext context, PageRenderer renderer)
    {
        var page = await renderer.BeginAsync(context);
        var form = await KeyForm.ReadAsync(context.Request);
        try
        {
            var made = await page.Visitor.ChangeAsync<KeyRecord>(HttpMethods.Post, "/v1/keys", form.ForNew());
            return await renderer.DrawAsync<SecretPage>(page, new() { ["Key"] = made });
        }
        catch (FarmRefusalException e) when (e.Refusal.Param is not null)
        {
            return await DrawListAsync(page, renderer, form, e.Refusal);
        }
    }

    private static async Task<IResult> ShowAsync(string id, HttpContext context, PageRenderer renderer)
    {
        var page = await renderer.BeginAsync(context);
        var key = await page.Visitor.GetAsync<KeyRecord>(PathOf(id));
        return await renderer.DrawAsync<KeyPage>(page, new() { ["Key"] = key, ["Form"] = KeyForm.Of(key) });
    }

    private static async Task<IResult> EditAsync(string id, HttpContext context, PageRenderer renderer)
    {
        var page = await renderer.BeginAsync(context);
        var form = await KeyForm.ReadAsync(context.Request);
        try
        {
            await page.Visitor.ChangeAsync<KeyRecord>(HttpMethods.Patch, PathOf(id), form.ForChange());
            return Back.To("/farm/keys");
        }
        catch (FarmRefusalException e) when (e.Refusal.Param is not null)
        {
            var key = await page.Visitor.GetAsync<KeyRecord>(PathOf(id));
            return await renderer.DrawAsync<KeyPage>(
                page,
                new() { ["Key"] = key, ["Form"] = form, ["Refusal"] = e.Refusal },
                e.Refusal.Status
            );
        }
    }

    private static async Task<IResult> RotateAsync(string id, HttpContext context, PageRenderer renderer)
    {
        var page = await renderer.BeginAsync(context);
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var overlap = int.TryParse(form["overlap_seconds"], NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : 0;
        var made = await page.Visitor.ChangeAsync<KeyRecord>(
            HttpMethods.Post,
            PathOf(id) + "/rotate",
            new JsonObject { ["overlap_seconds"] = overlap }
        );
        return await renderer.DrawAsync<SecretPage>(page, new() { ["Key"] = made });
    }

    private static async Task<IResult> RevokeAsync(string id, HttpContext context, IFarm farm)
    {
        await new Visitor(farm, context).ChangeAsync<object>(HttpMethods.Delete, PathOf(id));
        return Back.To("/farm/keys");
    }

    private static async Task<IResult> DrawListAsync(PageContext page, PageRenderer renderer, KeyForm form, FarmRefusal? refusal)
    {
        var keys = await page.Visitor.GetAsync<ListRecord<KeyRecord>>("/v1/keys");
        return await renderer.DrawAsync<KeysPage>(
            page,
            new() { ["Keys"] = keys.Data, ["Form"] = form, ["Refusal"] = refusal },
            refusal?.Status ?? StatusCodes.Status200OK
        );
    }

    private static string PathOf(string id) => $"/v1/keys/{Uri.EscapeDataString(id)}";
}
