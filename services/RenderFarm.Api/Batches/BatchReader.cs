using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Net.Http.Headers;
using RenderFarm.Api.Errors;
using RenderFarm.Api.Requests;
using RenderFarm.Api.Videos;
using RenderFarm.Jobs.Intake;
using RenderFarm.Jobs.Keys;

namespace RenderFarm.Api.Batches;

/// <summary>A batch as it was asked for, every line of it judged.</summary>
/// <param name="Digest">Of the lines as they came: tells a repeat from another batch.</param>
internal sealed record BatchRequest(IReadOnlyList<NewJob> Jobs, string Digest, IReadOnlyDictionary<string, string>? Metadata);

/// <summary>
/// Reads a batch in each of its forms (JSON Lines as the body or as the part <c>file</c> of a multipart body, or a matrix
/// in JSON) and judges all of it before anything is taken.
/// </summary>
internal sealed class BatchReader(VideoSubmission submission) : IDisposable
{
    public const int MaxLines = 10_000;
    private const int MaxFaultsListed = 100;
    private static readonly string[] LineTypes =
    [
        "application/jsonl", "application/x-ndjson", "application/x-jsonlines", "application/json-lines", "text/plain",
        "application/octet-stream",
    ];

    /// <summary>Batches are held in memory while they are judged: one after the other.</summary>
    private readonly SemaphoreSlim _turn = new(1);

    /// <param name="take">What is done with the batch while it is in memory.</param>
    public async Task<T> ReadAsync<T>(
        HttpRequest request,
        ApiKey caller,
        string batchId,
        Func<BatchRequest, Task<T>> take,
        CancellationToken cancellationToken
    )
    {
        if (LineTypes.Contains(TypeOf(request), StringComparer.OrdinalIgnoreCase))
        {
            if (request.ContentLength > BodyLimits.Batch)
            {
                throw ApiError.TooLarge(BodyLimits.Batch).AsException();
            }

            using var spooled =
                await SpooledFile.WriteAsync(request.Body, BodyLimits.Batch, cancellationToken)
                ?? throw ApiError.TooLarge(BodyLimits.Batch).AsException();
            return await InTurnAsync(
                async () => await take(await LinesAsync(spooled, null, caller, batchId, cancellationToken)),
                cancellationToken
            );
        }

        var body = await BodyReader.ReadAsync(request, cancellationToken);
        var fields = new FieldReader(body.Fields);
        var metadata = fields.Strings("metadata", maxPairs: 16, maxKey: 64, maxValue: 512);
        if (body.Files.FirstOrDefault(file => file.Field != "file") is { } stray)
        {
            throw ApiError.UnknownParameter(stray.Field, "file").AsException();
        }

        if (body.Files is [var lines])
        {
            fields.RefuseRest();
            return await InTurnAsync(
                async () => await take(await LinesAsync(lines.Content, metadata, caller, batchId, cancellationToken)),
                cancellationToken
            );
        }

        if (body.Files.Count > 1)
        {
            throw fields.Invalid("file", "is given more than once");
        }

        var digest = Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes<JsonNode>(body.Fields)));
        var requests = MatrixReader.Read(fields, body.Fields);
        return await InTurnAsync(
            async () => await take(new BatchRequest(await JudgeAsync(requests, caller, batchId, cancellationToken), digest, metadata)),
            cancellationToken
        );
    }

    public void Dispose() => _turn.Dispose();

    private async Task<T> InTurnAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            return await work();
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<BatchRequest> LinesAsync(
        SpooledFile file,
        IReadOnlyDictionary<string, string>? metadata,
        ApiKey caller,
        string batchId,
        CancellationToken cancellationToken
    )
    {
        var bytes = await File.ReadAllBytesAsync(file.Path, cancellationToken);
        return new BatchRequest(await JudgeAsync(JsonLines.Of(bytes), caller, batchId, cancellationToken), file.Sha256, metadata);
    }

    /// <exception cref="ApiErrorException">400 with what is wrong, line by line; nothing has been taken.</exception>
    private async Task<IReadOnlyList<NewJob>> JudgeAsync(
        IEnumerable<(int Line, Func<CancellationToken, Task<RequestBody>> Read)> lines,
        ApiKey caller,
        string batchId,
        CancellationToken cancellationToken
    )
    {
        var (jobs, faults, wrong) = (new List<NewJob>(), new List<LineFault>(), 0);
        foreach (var (line, read) in lines)
        {
            if (jobs.Count + wrong >= MaxLines)
            {
                throw ApiError.InvalidValue("file", $"The batch has more than {MaxLines} videos; submit it as several.").AsException();
            }

            try
            {
                var request = VideoRequestReader.Read(await read(cancellationToken));
                jobs.Add(await submission.LineAsync(request, caller, cancellationToken) with { BatchId = batchId, BatchLine = line });
            }
            catch (ApiErrorException e)
                when (e.Error.Status < StatusCodes.Status500InternalServerError || e.Error.Status == StatusCodes.Status501NotImplemented)
            {
                wrong++;
                if (faults.Count < MaxFaultsListed)
                {
                    faults.Add(new LineFault(line, e.Error.Code, e.Error.Param, e.Error.Message));
                }
            }
        }

        if (wrong > 0)
        {
            var first = faults[0];
            throw (
                ApiError.InvalidValue(
                    "file",
                    $"{wrong} of {jobs.Count + wrong} lines can't be taken, so none was. Line {first.Line}: {first.Message}"
                ) with
                { Lines = faults }
            ).AsException();
        }

        return jobs.Count > 0
            ? jobs
            : throw ApiError.InvalidValue("file", "The batch holds no video: at least one line is expected.").AsException();
    }

    private static string TypeOf(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type) ? type.MediaType.Value! : "";
}
