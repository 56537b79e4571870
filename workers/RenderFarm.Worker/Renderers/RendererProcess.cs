using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Worker.Children;
using RenderFarm.Worker.Slots;

namespace RenderFarm.Worker.Renderers;

/// <summary>One renderer, from its start to its end: a process, what its card looked like before, and its share of host memory.</summary>
internal sealed class RendererProcess : IDisposable
{
    private readonly MemoryGroup? _group;
    private readonly Queue<string> _heard = new();
    private Task? _loading;
    private RenderOrder? _ahead;
    private bool _loaded;

    internal RendererProcess(ChildProcess child, CardBefore? before, MemoryGroup? group, long limitBytes)
    {
        Child = child;
        Before = before;
        _group = group;
        LimitBytes = limitBytes;
    }

    public ChildProcess Child { get; }

    /// <summary>Null on a CPU.</summary>
    public CardBefore? Before { get; }

    /// <summary>Host memory that it may take; prepared weights, which renderers share, don't count.</summary>
    public long LimitBytes { get; }

    /// <summary>What it takes of host memory now; 0 when it has ended.</summary>
    public long HostBytes => ProcessMemory.AnonymousBytes(Child.Id);

    /// <summary>The kernel has ended it for going over its limit.</summary>
    public bool WasOutOfMemory => _group?.OutOfMemoryKills > 0;

    /// <summary>It was told what to get ready for.</summary>
    public bool IsTold => _loading is not null;

    /// <summary>It is getting ready, and takes memory for that which it gives back when an order comes.</summary>
    public bool IsLoading => _loading is { IsCompleted: false };

    /// <summary>It has got ready for jobs of this model.</summary>
    public bool IsLoadedFor(string model) => _loaded && _ahead?.Spec.Model == model;

    /// <summary>It has got ready for the job that was expected.</summary>
    public bool IsLoaded => _loaded;

    /// <summary>What it could take of its device before it began to get ready, itself included.</summary>
    public long FreeBytesBefore { get; private set; }

    /// <summary>Has it get ready for an order that may come. Once, and before any order.</summary>
    /// <param name="freeBytes">What it could take of its device now, itself included.</param>
    /// <returns>Completes when it is, when an order has come first, or with its end.</returns>
    public Task LoadAsync(RenderOrder ahead, long freeBytes)
    {
        (_ahead, FreeBytesBefore) = (ahead, freeBytes);
        return _loading = TellAndListenAsync(ahead);
    }

    /// <summary>The next line of its standard output; null at the end.</summary>
    /// <exception cref="IOException">Torn down with the process.</exception>
    public async Task<string?> NextLineAsync()
    {
        if (_loading is not null)
        {
            await _loading;
        }

        return _heard.TryDequeue(out var line) ? line : await Child.Output.ReadLineAsync();
    }

    private async Task TellAndListenAsync(RenderOrder ahead)
    {
        try
        {
            await Child.Input.WriteLineAsync(JsonSerializer.Serialize(ahead, ContractsJson.Default.RenderOrder));
            await Child.Input.FlushAsync();
            while (await Child.Output.ReadLineAsync() is { } line)
            {
                _heard.Enqueue(line);
                switch (Parse(line))
                {
                    case RendererReport.Ready:
                        continue;
                    case RendererReport.Loaded loaded:
                        _loaded = loaded.Fault is null;
                        return;
                    default:
                        return; // An order came first
                }
            }
        }
        catch (Exception fault) when (fault is IOException or ObjectDisposedException)
        {
            // It is dead, or was told to go: whoever takes it sees that
        }
    }

    /// <summary>Null for a line that is no report.</summary>
    public static RendererReport? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, ContractsJson.Default.RendererReport);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public void Dispose()
    {
        Child.Dispose();
        _group?.Dispose();
    }
}
