using RenderFarm.Worker.Children;
using RenderFarm.Worker.Encoding;
using RenderFarm.Worker.Renderers;
using RenderFarm.Worker.Slots;

namespace RenderFarm.Worker.Attempts;

/// <summary>
/// The two children of an attempt and the FIFO between them. Renderer and encoder never outlive each other's failure:
/// whichever ends first out of turn, the other is killed.
/// </summary>
internal sealed class RenderChildren : IDisposable
{
    private static readonly TimeSpan EndOfReports = TimeSpan.FromSeconds(5);
    private readonly FramePipe _pipe;
    private readonly VideoEncoder _encoder;
    private readonly RendererProcess _process;
    private readonly TimeSpan _silence;
    private readonly TimeProvider _time;
    private readonly long _killsBefore;
    private volatile bool _allFramesAreThere;

    /// <param name="silence">A child that says nothing for so long is stuck.</param>
    /// <param name="killsBefore">How many processes the kernel had killed for memory before the renderer was started.</param>
    public RenderChildren(
        FramePipe pipe,
        VideoEncoder encoder,
        RendererProcess process,
        TimeSpan silence,
        long killsBefore,
        TimeProvider time
    )
    {
        _killsBefore = killsBefore;
        (_pipe, _encoder, _process, _silence, _time) = (pipe, encoder, process, silence, time);
        Conversation = new RendererConversation(process, time);
    }

    public RendererConversation Conversation { get; }

    public ChildProcess Renderer => _process.Child;

    /// <summary>The renderer had got ready for jobs of this model before there was one.</summary>
    public bool WasLoadedFor(string model) => _process.IsLoadedFor(model);

    /// <summary>The kernel has ended a process for memory since they were started.</summary>
    public bool WasOutOfMemory => _process.WasOutOfMemory || HostMemory.OutOfMemoryKills > _killsBefore;

    public string LogTail
    {
        get
        {
            var tail = Renderer.Errors.Text;
            if (Conversation.StrayLine is { } line)
            {
                tail += $"\n[on standard output] {line}";
            }

            if (_encoder.LogTail.Length > 0)
            {
                tail += "\n[ffmpeg]\n" + _encoder.LogTail;
            }

            return tail.Trim();
        }
    }

    public void Kill()
    {
        Renderer.KillGroup();
        _encoder.Kill();
    }

    /// <summary>The renderer has written its last frame: the encoder ends the video while the renderer gives back what it holds.</summary>
    public void EndVideo()
    {
        _allFramesAreThere = true;
        _pipe.CloseWriter();
    }

    /// <summary>Waits for both to end, and sees to it that they do.</summary>
    /// <param name="listening">Ends with the renderer's last report.</param>
    /// <param name="record">What the renderer reported.</param>
    public async Task<(RendererEnding Renderer, EncoderEnding Encoder)> EndAsync(Task listening, AttemptRecord record)
    {
        var renderer = await RendererEndAsync(listening);
        _pipe.CloseWriter();
        return (renderer, await EncoderEndAsync(record.Finished is not null && renderer.Code == 0));
    }

    /// <summary>Gives the video its name, after a good end of both.</summary>
    public string Publish() => _encoder.Publish();

    public void Dispose()
    {
        _process.Dispose();
        _encoder.Dispose();
        _pipe.Dispose();
    }

    private async Task<RendererEnding> RendererEndAsync(Task listening)
    {
        var silent = false;
        var encoderFirst = false;
        long? tooMuch = null;
        while (!Renderer.Exited.IsCompleted)
        {
            using var tick = new CancellationTokenSource();
            await Task.WhenAny(
                Renderer.Exited,
                _allFramesAreThere ? Renderer.Exited : _encoder.Ended,
                Task.Delay(TimeSpan.FromSeconds(Math.Min(1, _silence.TotalSeconds / 4)), _time, tick.Token)
            );
            await tick.CancelAsync();
            if (Renderer.Exited.IsCompleted)
            {
                break;
            }

            encoderFirst = _encoder.Ended.IsCompleted && !_allFramesAreThere;
            silent = !encoderFirst && Conversation.Silence > _silence;
            if (_process.HostBytes is var bytes && bytes > _process.LimitBytes)
            {
                tooMuch = bytes;
            }

            if (!encoderFirst && !silent && tooMuch is null)
            {
                continue;
            }

            Renderer.KillGroup();
            await Renderer.Exited;
        }

        var code = await Renderer.Exited;
        Renderer.KillGroup(); // Whatever it started and left behind would hold its output open.
        await Task.WhenAny(listening, Task.Delay(EndOfReports, _time));
        return new RendererEnding(code, silent, encoderFirst, _silence) { HostBytes = tooMuch, LimitBytes = _process.LimitBytes };
    }

    /// <summary>After a good render the encoder still has to write the index; after a bad one it has nothing left to do.</summary>
    private async Task<EncoderEnding> EncoderEndAsync(bool rendered)
    {
        if (!rendered)
        {
            _encoder.Kill();
        }

        while (true)
        {
            var before = _encoder.Frames;
            try
            {
                return await _encoder.Ended.WaitAsync(_silence, _time);
            }
            catch (TimeoutException) when (_encoder.Frames > before)
            {
                // Slow, not stuck.
            }
            catch (TimeoutException)
            {
                _encoder.Kill();
            }
        }
    }
}
