using System.Collections;
using System.Text.Json;
using RenderFarm.Api.Requests;
using RenderFarm.Jobs.Intake;

namespace RenderFarm.Api.Batches;

/// <summary>
/// Jobs of a batch that was judged, on disk: neither a batch that is taken nor one that its last line spoils is ever in memory as a
/// whole. Each pass over them reads them again.
/// </summary>
internal sealed class JudgedJobs : IReadOnlyCollection<NewJob>, IDisposable
{
    private readonly FileStream _file = new(
        Path.Combine(Path.GetTempPath(), $"renderfarm-batch-{Guid.NewGuid():N}"),
        SpooledFile.Options(FileAccess.ReadWrite, FileOptions.DeleteOnClose)
    );

    public int Count { get; private set; }

    public void Add(NewJob job)
    {
        var text = JsonSerializer.SerializeToUtf8Bytes(job);
        _file.Write(BitConverter.GetBytes(text.Length));
        _file.Write(text);
        Count++;
    }

    /// <summary>One pass at a time, and none while jobs are added.</summary>
    public IEnumerator<NewJob> GetEnumerator()
    {
        _file.Position = 0;
        var head = new byte[sizeof(int)];
        for (var i = 0; i < Count; i++)
        {
            _file.ReadExactly(head);
            var text = new byte[BitConverter.ToInt32(head)];
            _file.ReadExactly(text);
            yield return JsonSerializer.Deserialize<NewJob>(text)!;
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public void Dispose() => _file.Dispose();
}
