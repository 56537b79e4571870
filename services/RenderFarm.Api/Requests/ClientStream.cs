namespace RenderFarm.Api.Requests;

/// <summary>
/// A request's body as it comes over the wire. What is wrong with its framing (a chunk of an impossible length) is the client's fault,
/// whatever the server's reader calls it; faults of our own disks are not.
/// </summary>
internal sealed class ClientStream(Stream body) : ForwardStream
{
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            return await body.ReadAsync(buffer, cancellationToken);
        }
        catch (IOException e) when (e is not BadHttpRequestException)
        {
            throw new BadHttpRequestException(e.Message, StatusCodes.Status400BadRequest, e);
        }
    }

    public override int Read(Span<byte> buffer) => throw new NotSupportedException();
}
