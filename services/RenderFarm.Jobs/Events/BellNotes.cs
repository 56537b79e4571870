using RenderFarm.Jobs.Loops;

namespace RenderFarm.Jobs.Events;

/// <summary>
/// Writes down every second for which jobs the bell was rung. What could not be written is rung for once more by
/// <see cref="Maintenance.BellRelay"/>.
/// </summary>
public sealed class BellNotes(BellRinger ringer) : ISweep
{
    public string Name => "bell_notes";

    public TimeSpan Every => TimeSpan.FromSeconds(1);

    /// <returns>Always 0: it is no news.</returns>
    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        await ringer.NoteRungAsync(Every, cancellationToken);
        return 0;
    }
}
