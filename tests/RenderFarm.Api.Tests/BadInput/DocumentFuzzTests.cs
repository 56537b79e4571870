using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace RenderFarm.Api.Tests.BadInput;

/// <summary>
/// Malformed requests to every operation that the OpenAPI document describes, made from the document itself:
/// <c>RENDERFARM_FUZZ_REQUESTS=5000</c> sends so many, <c>RENDERFARM_FUZZ_SEED</c> others.
/// </summary>
public sealed class DocumentFuzzTests(FarmFixture fixture) : IClassFixture<FarmFixture>
{
    private const int OnceBroken = 10;
    private const int HungUp = -1;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly TestFarm _farm = fixture.Farm;

    [Fact]
    public async Task Requests_ToEveryOperation_AreAnsweredSoonAndWithTheErrorBody()
    {
        var document = await (await _farm.User.GetAsync("/openapi/v1.json")).JsonAsync();
        var operations = DescribedOperation.AllOf(document);
        Assert.True(operations.Count > 30, $"only {operations.Count} operations are described");
        var ids = await IdsAsync();
        using var client = new HttpClient(
            new SocketsHttpHandler
            {
                RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1,
                // On a busy machine a second goes by, and a body sent unasked meets a connection that is being closed
                Expect100ContinueTimeout = Patience,
            }
        )
        {
            Timeout = Patience,
        };
        var (faults, statuses, slowest) = (new List<string>(), new SortedDictionary<int, int>(), TimeSpan.Zero);
        var (count, seed) = (Setting("RENDERFARM_FUZZ_REQUESTS", 500), Setting("RENDERFARM_FUZZ_SEED", 1));

        for (var i = 0; i < count; i++)
        {
            var operation = operations[i % operations.Count];
            var requests = new DocumentRequests(document, (seed * 1_000_003) + i, ids);
            var clock = Stopwatch.StartNew();
            var (status, fault) = (i / operations.Count) % OnceBroken == OnceBroken - 1
                ? await SendBrokenAsync(requests.Broken(operation, operation.IsOfWorkers ? _farm.WorkerKey : _farm.AdminKey))
                : await SendAsync(client, requests, operation);
            statuses[status] = statuses.GetValueOrDefault(status) + 1;
            slowest = clock.Elapsed > slowest ? clock.Elapsed : slowest;
            fault ??= clock.Elapsed > Longest ? $"took {clock.Elapsed.TotalSeconds:0.0} s" : null;
            if (fault is not null)
            {
                faults.Add($"request {i} (seed {seed}), {operation.Method} {operation.Path}, answered {status}: {fault}");
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{count} requests to {operations.Count} operations; slowest {slowest.TotalSeconds:0.00} s; answers "
                + string.Join(", ", statuses.Select(status => $"{status.Key}: {status.Value}"))
        );
        Assert.True(faults.Count == 0, string.Join(Environment.NewLine, faults.Take(30)));
        Assert.InRange(statuses.GetValueOrDefault(HungUp), 0, 1 + (count / 200));
        // Both ways are walked, or this would show nothing.
        Assert.Contains(statuses.Keys, status => status is >= 200 and < 300);
        Assert.Superset(new HashSet<int> { 400, 401, 403, 404 }, statuses.Keys.ToHashSet());
        Assert.True((await _farm.User.GetAsync("/health/ready")).IsSuccessStatusCode);
    }

    /// <summary>Things that are there; keys among them are nobody's else.</summary>
    private async Task<IReadOnlyList<string>> IdsAsync()
    {
        var key = await (await _farm.User.PostAsJsonAsync("/v1/keys", new { name = "spare" })).JsonAsync();
        var batch = await (
            await _farm.User.PostAsync(
                "/v1/batches",
                new StringContent("{\"prompt\":\"a\"}\n{\"prompt\":\"b\"}", Encoding.UTF8, "application/jsonl")
            )
        ).JsonAsync();
        return
        [
            (string)(await _farm.SubmitAsync())["id"]!,
            await _farm.FinishVideoAsync([1, 2, 3]),
            (string)batch["id"]!,
            (string)key["id"]!,
            await _farm.RegisterWorkerAsync("fuzz"),
            "tiny",
            "video_00000000000000000000000000000000",
        ];
    }

    private async Task<(int Status, string? Fault)> SendAsync(HttpClient client, DocumentRequests requests, DescribedOperation operation)
    {
        using var request = requests.To(operation);
        var key = requests.Key<string?>(
            operation.IsOfWorkers ? _farm.WorkerKey : _farm.AdminKey,
            operation.IsOfWorkers ? _farm.AdminKey : _farm.WorkerKey,
            "rf_" + new string('0', 64),
            null
        );
        // Who sends all of a body that is refused at its beginning may never read why.
        request.Headers.ExpectContinue = request.Content is not null;
        request.Headers.Authorization = key is null ? null : new AuthenticationHeaderValue("Bearer", key);
        request.RequestUri = new Uri(
            $"http://{_farm.Address.Authority}{request.RequestUri!.PathAndQuery}",
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }
        );
        try
        {
            // A stream of events has no end of its own.
            using var reply = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            var status = (int)reply.StatusCode;
            return (
                status,
                FaultOf(
                    status,
                    request.Method == HttpMethod.Head || status < 400 ? null : reply.Content.Headers.ContentType?.MediaType ?? "",
                    request.Method == HttpMethod.Head || status < 400 ? null : await reply.Content.ReadAsStringAsync()
                )
            );
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            return (0, e.Message);
        }
    }

    private async Task<(int Status, string? Fault)> SendBrokenAsync(byte[] request)
    {
        using var limit = new CancellationTokenSource(Patience);
        using var socket = new TcpClient();
        await socket.ConnectAsync(_farm.Address.Host, _farm.Address.Port, limit.Token);
        var stream = socket.GetStream();
        using var answer = new MemoryStream();
        try
        {
            await stream.WriteAsync(request, limit.Token);
            await stream.CopyToAsync(answer, limit.Token);
        }
        catch (IOException) when (answer.Length == 0)
        {
            // A reset over bytes that the server never read can take an answer with it that was on its way
            return (HungUp, null);
        }
        catch (IOException)
        {
            // It has hung up on the rest; what it said before counts.
        }
        catch (OperationCanceledException)
        {
            return (0, "no answer");
        }

        var text = Encoding.UTF8.GetString(answer.ToArray());
        if (text.Split("\r\n\r\n", 2) is not [var head, var body] || head.Split(' ') is not [_, var code, ..])
        {
            return (0, $"no HTTP: '{text}'");
        }

        var status = int.Parse(code, CultureInfo.InvariantCulture);
        var type = head.Contains("application/problem+json", StringComparison.OrdinalIgnoreCase) ? "application/problem+json" : "";
        var json = body.IndexOf('{', StringComparison.Ordinal);
        return (status, status < 400 ? null : FaultOf(status, type, json < 0 ? "" : body[json..(body.LastIndexOf('}') + 1)]));
    }

    private static string? FaultOf(int status, string? type, string? body)
    {
        if (status >= 500 && status is not (503 or 505))
        {
            return $"a fault of ours: {body}";
        }

        if (body is null)
        {
            return null;
        }

        if (type != "application/problem+json")
        {
            return $"the refusal is of type '{type}': {body}";
        }

        try
        {
            var said = JsonNode.Parse(body);
            return (int?)said?["status"] == status && !string.IsNullOrEmpty((string?)said["error"]?["code"])
                ? null
                : $"the refusal lacks its members: {body}";
        }
        catch (System.Text.Json.JsonException)
        {
            return $"the refusal is no JSON: '{body}'";
        }
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? value
            : otherwise;
}
