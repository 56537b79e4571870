using Microsoft.AspNetCore.Http;
using RenderFarm.Dashboard.Assets;
using RenderFarm.Dashboard.Calls;
using RenderFarm.Dashboard.Texts;

namespace RenderFarm.Dashboard.Frame;

/// <summary>What every part of a page draws with.</summary>
/// <param name="Session">Null for a page that needs nobody to be signed in.</param>
public sealed record PageContext(Visitor Visitor, SessionRecord? Session, PageTexts Texts, WebAssets Assets, DateTimeOffset Now)
{
    public HttpRequest Request => Visitor.Context.Request;

    /// <summary>Where the visitor is, to come back to.</summary>
    public string Here => Request.Path + Request.QueryString.ToUriComponent();

    public string T(string name) => Texts[name];

    public string T(string name, params object?[] values) => Texts[name, values];

    public string Csrf => Session?.Csrf ?? "";
}
