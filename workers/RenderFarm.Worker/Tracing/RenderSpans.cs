using System.Diagnostics;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Worker.Tracing;

/// <summary>
/// What goes on in the renderer, one thing after the other, as its reports tell: it is a process of seconds, and exports nothing itself.
/// </summary>
/// <param name="attempt">What is going on when it is made.</param>
internal sealed class RenderSpans(Activity? attempt)
{
    private readonly Lock _gate = new();
    private Activity? _now;

    /// <summary>From the start of its process, or of the order that a standby is given, to its first stage.</summary>
    public void Starting() => Enter("renderer start");

    public void Enter(RenderStage stage) => Enter(Word.Of(stage));

    /// <summary>Nothing goes on any more.</summary>
    public void Leave()
    {
        lock (_gate)
        {
            _now?.Dispose();
            _now = null;
        }
    }

    private void Enter(string what)
    {
        lock (_gate)
        {
            _now?.Dispose();
            _now = WorkerSpans.Aside(attempt, what);
        }
    }
}
