namespace RenderFarm.Dashboard.Composition;

/// <summary>
/// Metadata of every page: what a browser may load and run for it. All is this farm's own; nothing stands in the page itself, so nothing
/// that somebody planted there runs.
/// </summary>
public sealed class PagePolicy
{
    public static string Text =>
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; "
        + "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
}
