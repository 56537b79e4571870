using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace RenderFarm.Api.Errors;

/// <summary>
/// A connection's two ways, passed through as they are until the server refuses a request: then its empty answer gets a body.
/// </summary>
internal sealed class RefusalPipe(IDuplexPipe connection) : PipeWriter, IDuplexPipe
{
    private const string NoBody = "Content-Length: 0\r\n";
    private ArrayBufferWriter<byte>? _answer;
    private byte[] _body = [];
    private string _requestId = "";

    public PipeReader Input => connection.Input;
    public PipeWriter Output => this;
    public override bool CanGetUnflushedBytes => connection.Output.CanGetUnflushedBytes;
    public override long UnflushedBytes => connection.Output.UnflushedBytes + (_answer?.WrittenCount ?? 0);

    /// <summary>What the server writes next is its refusal of this request, and the last of the connection.</summary>
    public void Refuse(byte[] body, string requestId) =>
        (_answer, _body, _requestId) = (new ArrayBufferWriter<byte>(), body, requestId);

    public override Memory<byte> GetMemory(int sizeHint = 0) => _answer?.GetMemory(sizeHint) ?? connection.Output.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        if (_answer is null)
        {
            connection.Output.Advance(bytes);
        }
        else
        {
            _answer.Advance(bytes);
        }
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        WriteAnswer();
        return connection.Output.FlushAsync(cancellationToken);
    }

    public override void CancelPendingFlush() => connection.Output.CancelPendingFlush();

    public override void Complete(Exception? exception = null)
    {
        WriteAnswer();
        connection.Output.Complete(exception);
    }

    public override ValueTask CompleteAsync(Exception? exception = null)
    {
        WriteAnswer();
        return connection.Output.CompleteAsync(exception);
    }

    private void WriteAnswer()
    {
        if (_answer is not { WrittenCount: > 0 })
        {
            return;
        }

        var head = Encoding.Latin1.GetString(_answer.WrittenSpan);
        _answer = null;
        var isEmpty = head.Contains(NoBody, StringComparison.Ordinal);
        connection.Output.Write(
            Encoding.Latin1.GetBytes(
                head.Replace(
                    NoBody,
                    $"Content-Length: {_body.Length}\r\nContent-Type: application/problem+json\r\nx-request-id: {_requestId}\r\n"
                        + $"X-Content-Type-Options: {AnswerHeaders.NoSniff}\r\n"
                        + $"Content-Security-Policy: {AnswerHeaders.DataPolicy}\r\n",
                    StringComparison.Ordinal
                )
            )
        );
        if (isEmpty)
        {
            connection.Output.Write(_body);
        }
    }
}
