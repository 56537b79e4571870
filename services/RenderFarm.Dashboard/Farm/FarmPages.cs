using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using RenderFarm.Dashboard.Calls;
using RenderFarm.Dashboard.Frame;

namespace RenderFarm.Dashboard.Farm;

/// <summary>Cards and queue, and what whoever runs the farm does to them.</summary>
internal static class FarmPages
{
    public static void MapFarmPages(this IEndpointRouteBuilder pages)
    {
        pages.MapGet("/farm", ShowAsync);
        pages.MapGet("/farm/live", LiveAsync);
        pages.MapPost("/farm/workers/{id}/drain", DrainAsync);
        pages.MapPost("/farm/workers/{id}/revoke", RevokeAsync);
        pages.MapPost("/farm/workers/{id}/resume", ResumeAsync);
        pages.MapPost("/farm/workers/{id}/name", RenameAsync);
        pages.MapPost("/farm/invite", InviteAsync);
        pages.MapPost("/farm/invite/{id}/withdraw", WithdrawAsync);
        pages.MapPost("/farm/queue/pause", (HttpContext context, IFarm farm) => QueueAsync("pause", context, farm));
        pages.MapPost("/farm/queue/resume", (HttpContext context, IFarm farm) => QueueAsync("resume", context, farm));
        pages.MapKeyPages();
        pages.MapBatchPages();
        pages.MapStorePages();
    }

    private static string WorkerPath(string id) => $"/v1/workers/{Uri.EscapeDataString(id)}";

    private static async Task<IResult> ShowAsync(HttpContext context, PageRenderer renderer)
    {
        var page = await renderer.BeginAsync(context);
        var sight = await FarmSight.LookAsync(page.Visitor);
        var invitations = page.Session!.MayRun
            ? (await page.Visitor.GetAsync<ListRecord<InvitationRecord>>("/v1/workers/invitations")).Data
            : [];
        return await renderer.DrawAsync<FarmPage>(page, new() { ["Sight"] = sight, ["Invitations"] = invitations });
    }

    /// <summary>The part that changes by itself, for a script that has heard of a change.</summary>
    private static async Task<IResult> LiveAsync(HttpContext context, PageRenderer renderer)
    {
        var page = await renderer.BeginAsync(context);
        return await renderer.DrawAsync<LivePart>(page, new() { ["Sight"] = await FarmSight.LookAsync(page.Visitor) });
    }

    private static async Task<IResult> DrainAsync(string id, HttpContext context, IFarm farm)
    {
        await new Visitor(farm, context).ChangeAsync<object>(HttpMethods.Post, WorkerPath(id) + "/drain");
        return Back.To("/farm");
    }

    private static async Task<IResult> RevokeAsync(string id, HttpContext context, IFarm farm)
    {
        await new Visitor(farm, context).ChangeAsync<object>(HttpMethods.Delete, WorkerPath(id));
        return Back.To("/farm");
    }

    private static async Task<IResult> ResumeAsync(string id, HttpContext context, IFarm farm)
    {
        var slot = (await context.Request.ReadFormAsync(context.RequestAborted))["slot"].ToString();
        await new Visitor(farm, context).ChangeAsync<object>(
            HttpMethods.Post,
            WorkerPath(id) + "/resume",
            slot.Length > 0 ? new JsonObject { ["slot"] = slot } : null
        );
        return Back.To("/farm");
    }

    private static async Task<IResult> RenameAsync(string id, HttpContext context, IFarm farm)
    {
        var name = (await context.Request.ReadFormAsync(context.RequestAborted))["name"].ToString().Trim();
        await new Visitor(farm, context).ChangeAsync<object>(
            HttpMethods.Patch,
            WorkerPath(id),
            new JsonObject { ["name"] = name.Length > 0 ? name : null }
        );
        return Back.To("/farm");
    }

    /// <summary>What it makes is shown this once, so it is drawn at once and not led to.</summary>
    private static async Task<IResult> InviteAsync(HttpContext context, PageRenderer renderer)
    {
        var page = await renderer.BeginAsync(context);
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var (name, uses) = (form["name"].ToString().Trim(), Whole(form["uses"]) ?? 1);
        var body = new JsonObject { ["expires_in"] = Whole(form["expires_in"]) ?? 3600, ["uses"] = uses };
        if (name.Length > 0)
        {
            body["name"] = name;
        }

        var made = await page.Visitor.ChangeAsync<InvitationRecord>(HttpMethods.Post, "/v1/workers/invitations", body);
        return await renderer.DrawAsync<InvitedPage>(page, new() { ["Invitation"] = made });
    }

    private static async Task<IResult> WithdrawAsync(string id, HttpContext context, IFarm farm)
    {
        await new Visitor(farm, context).ChangeAsync<object>(
            HttpMethods.Delete,
            $"/v1/workers/invitations?id={Uri.EscapeDataString(id)}"
        );
        return Back.To("/farm");
    }

    private static async Task<IResult> QueueAsync(string verb, HttpContext context, IFarm farm)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var part = new JsonObject();
        foreach (var name in (string[])["model", "key"])
        {
            if (form[name].ToString() is { Length: > 0 } value)
            {
                part[name] = value;
            }
        }

        await new Visitor(farm, context).ChangeAsync<object>(HttpMethods.Post, $"/v1/queue/{verb}", part);
        return await Back.ToAsync(context, "/farm");
    }

    private static int? Whole(string? text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var whole) ? whole : null;
}
