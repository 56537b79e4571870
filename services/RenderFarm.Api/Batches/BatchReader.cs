using Microsoft.Net.Http.Headers;
using RenderFarm.Api.Errors;
using RenderFarm.Api.Requests;
using RenderFarm.Api.Videos;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Intake;
using RenderFarm.Jobs.Keys;

namespace RenderFarm.Api.Batches;

/// <summary>A batch as it was asked for, every line of it judged.</summary>
/// <param name="Jobs">In the order of their lines.</param>
/// <param name="Digest">Of the lines as they came: tells a repeat from another batch.</param>
internal sealed record BatchRequest(IReadOnlyCollection<NewJob> Jobs, string Digest, IReadOnlyDictionary<string, string>? Metadata);

/// <summary>
/// Reads a batch in each of its forms (JSON Lines as the body or as the part <c>file</c> of a multipart body, or a matrix
/// in JSON) and judges all of it before anything is taken.
/// </summary>
internal sealed class BatchReader(VideoSubmission submission) : IDisposable
{
    public const int MaxLines = VideoLimits.MostInBatch;
    private const int MaxFaultsListed = 100;
    private static readonly string[] LineTypes =
    [
        "application/jsonl", "application/x-ndjson", "application/x-jsonlines", "application/json-lines", "text/plain",
        "application/octet-stream",
    ];

    /// <summary>A batch is a lot of work: one after the other.</summary>
    private readonly SemaphoreSlim _turn = new(1);

    /// <param name="take">What is done with the batch while its jobs are at hand.</param>
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
                await SpooledFile.WriteAsync(request.Wire(), BodyLimits.Batch, cancellationToken)
                ?? throw ApiError.TooLarge(BodyLimits.Batch).AsException();
            return await TakeAsync(JsonLines.Of(spooled, cancellationToken), spooled.Sha256, null);
        }

        var body = await BodyReader.ReadAsync(request, BodyShape.Matrix, cancellationToken);
        var fields = new FieldReader(body.Fields);
        var metadata = fields.Strings("metadata", maxPairs: 16, maxKey: 64, maxValue: 512);
        if (body.Files.FirstOrDefault(file => file.Field != "file") is { } stray)
        {
            throw ApiError.UnknownParameter(stray.Field, "file").AsException();
        }

        if (body.Files is [var lines])
        {
            fields.RefuseRest();
            return await TakeAsync(JsonLines.Of(lines.Content, cancellationToken), lines.Content.Sha256, metadata);
        }

        if (body.Files.Count > 1)
        {
            throw fields.Invalid("file", "is given more than once");
        }

        var digest = TreeDigest.Of(body.Fields);
        return await TakeAsync(MatrixReader.Read(fields, body.Fields).ToAsyncEnumerable(), digest, metadata);

        async Task<T> TakeAsync(IAsyncEnumerable<BatchLine> lines, string digest, IReadOnlyDictionary<string, string>? metadata)
        {
            await _turn.WaitAsync(cancellationToken);
            try
            {
                using var jobs = new JudgedJobs();
                await JudgeAsync(lines, jobs, caller, batchId, cancellationToken);
                return await take(new BatchRequest(jobs, digest, metadata));
            }
            finally
            {
                _turn.Release();
            }
        }
    }

    public void Dispose() => _turn.Dispose();

    /// <exception cref="ApiErrorException">400 with what is wrong, line by line; nothing has been taken.</exception>
    private async Task JudgeAsync(
        IAsyncEnumerable<BatchLine> lines,
        JudgedJobs jobs,
        ApiKey caller,
        string batchId,
        CancellationToken cancellationToken
    )
    {
        var (faults, right, wrong) = (new List<LineFault>(), 0, 0);
        await foreach (var (line, read) in lines)
        {
            if (right + wrong >= MaxLines)
            {
                throw ApiError.InvalidValue("file", $"The batch has more than {MaxLines} videos; submit it as several.").AsException();
            }

            try
            {
                var request = VideoRequestReader.Read(read());
                var job = await submission.LineAsync(request, caller, cancellationToken) with { BatchId = batchId, BatchLine = line };
                right++;
                if (wrong == 0)
                {
                    jobs.Add(job);
                }
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
                    $"{wrong} of {right + wrong} lines can't be taken, so none was. Line {first.Line}: {first.Message}"
                ) with
                { Lines = faults }
            ).AsException();
        }

        if (right == 0)
        {
            throw ApiError.InvalidValue("file", "The batch holds no video: at least one line is expected.").AsException();
        }
    }

    private static string TypeOf(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type) ? type.MediaType.Value! : "";
}
