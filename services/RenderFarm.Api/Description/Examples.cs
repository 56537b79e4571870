using System.Text.Json;
using RenderFarm.Api.Errors;

namespace RenderFarm.Api.Description;

/// <summary>Requests that work as they stand on the embedded farm, and what comes of them.</summary>
internal static class Examples
{
    private const string Queued = """
        {"id":"video_019ab0c1d2e37f4a8b5c6d7e8f901234","object":"video","model":"demo","status":"queued","progress":0,
         "created_at":1764000000,"completed_at":null,"expires_at":null,"prompt":"a red ball rolls to the right","size":"256x256",
          "seconds":"2.0625",
         "remixed_from_video_id":null,"error":null,"stage":"queued","attempt":0,"max_attempts":3,"frames":33,"fps":16,"steps":8,"step":0,
         "guidance_scale":4,"shift":3,"sampler":"unipc","quality":"balanced","negative_prompt":"","seed":7,"priority":50,
         "queue_position":1,"eta_seconds":12}
        """;

    private const string Key = """
        {"id":"key_019ab0c1d2e37f4a8b5c6d7e8f901234","object":"api_key","name":"studio","scopes":["submit","read"],"priority_ceiling":60,
         "quotas":{"queued":200,"running":4,"per_day":1000},"requests_per_minute":600,"usage":{"queued":0,"running":0,"today":0},
         "class":"default","created_at":1764000000,"expires_at":null,"former_until":null,"worker":null,"key":"rf_…"}
        """;

    public static readonly Dictionary<string, (string Name, string Summary, string Json)[]> Requests = new()
    {
        ["POST /v1/videos"] =
        [
            ("text", "From words", """{"prompt":"a red ball rolls to the right"}"""),
            (
                "everything",
                "Every setting named",
                """
                {"prompt":"a red ball rolls to the right","model":"t2v-14b","size":"832x480","frames":81,"steps":30,"guidance_scale":5,
                 "shift":3,
                 "sampler":"unipc","seed":7,"negative_prompt":"","priority":60,"metadata":{"shot":"12b"},"plan":{"precision":"fp8"},
                  "max_attempts":2}
                """
            ),
            (
                "picture",
                "From a picture",
                """
                {"prompt":"the boat leaves the harbour","model":"i2v-14b-480p",
                "input_reference":{"image_url":"https://example.org/boat.jpg"}}
                """
            ),
        ],
        ["POST /v1/videos/{id}/remix"] = [("prompt", "The same with other words", """{"prompt":"a blue ball rolls to the right"}""")],
        ["PATCH /v1/videos/{id}"] = [("star", "A star", """{"metadata":{"star":"1"}}""")],
        ["POST /v1/videos/bulk"] =
        [
            (
                "count",
                "How many failed since then",
                """{"action":"retry","filter":{"status":"failed","created_after":1764000000},"dry_run":true}"""
            ),
            ("do", "Run those again, if they are as many", """{"action":"retry","filter":{"status":"failed"},"expected":12}"""),
        ],
        ["POST /v1/queue/pause"] = [("model", "Of one model", """{"model":"t2v-14b"}""")],
        ["PATCH /v1/keys/{id}"] = [("quota", "More a day, and for ever", """{"quotas":{"per_day":2000},"expires_at":null}""")],
        ["POST /v1/keys/{id}/rotate"] = [("day", "A day for the change", """{"overlap_seconds":86400}""")],
        ["POST /v1/plans"] =
        [
            ("card", "On a card of 24 GiB", """{"model":"t2v-14b","size":"832x480","frames":81,"vram_gib":24,"gpu":"RTX 4090"}"""),
            ("worker", "On a worker of this farm", """{"model":"demo","worker":"rack-1"}"""),
        ],
        ["POST /v1/keys"] =
        [
            (
                "tenant",
                "A tenant with quotas",
                """
                {"name":"studio","scopes":["submit","read"],"priority_ceiling":60,"quotas":{"queued":200,"running":4,"per_day":1000},
                "requests_per_minute":600}
                """
            ),
        ],
    };

    public static readonly Dictionary<string, string> Replies = new()
    {
        ["POST /v1/videos"] = Queued,
        ["GET /v1/videos/{id}"] = Queued,
        ["POST /v1/keys"] = Key,
    };

    public static readonly Dictionary<int, string> Refusals = new()
    {
        [400] = Refusal(
            400,
            "Bad Request",
            "unknown_parameter",
            "There is no parameter 'guidance'; the nearest one is 'guidance_scale'.",
            "invalid_request_error",
            "guidance"
        ),
        [401] = Refusal(401, "Unauthorized", "invalid_api_key", "This API key is unknown.", "authentication_error"),
        [403] = Refusal(
            403,
            "Forbidden",
            "missing_scope",
            "This API key lacks the scope 'submit'. Ask an administrator for a key that has it.",
            "permission_error"
        ),
        [404] = Refusal(404, "Not Found", "not_found", "There is no video 'video_…'.", "invalid_request_error"),
        [429] = Refusal(
            429,
            "Too Many Requests",
            "quota_exceeded",
            "This API key may have 200 videos waiting (quota 'queued'). It frees when one of them starts or is cancelled.",
            "rate_limit_error"
        ),
    };

    private static string Refusal(int status, string title, string code, string message, string type, string? param = null) =>
        JsonSerializer.Serialize(
            new ErrorBody(
                $"urn:renderfarm:error:{code}",
                title,
                status,
                message,
                "0af7651916cd43dd8448eb211c80319c",
                new ErrorDetail(message, type, param, code)
            ),
            ErrorWriter.Json
        );
}
