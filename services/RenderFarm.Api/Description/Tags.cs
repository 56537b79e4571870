namespace RenderFarm.Api.Description;

/// <summary>
/// What each group of operations is for, in the order in which a newcomer needs them. The names are those that the routes give.
/// </summary>
internal static class Tags
{
    public static readonly IReadOnlyList<(string Name, string Description)> All =
    [
        ("Videos", "Submit a video, see how far it is, download it, stop it, run it again. The shape is that of the OpenAI Videos API."),
        ("Batches", "Up to 10,000 videos in one request, from JSON Lines or from every combination of a matrix. All are taken or none."),
        (
            "Events",
            "What happens, as it happens: server-sent events of one video or of all videos of a key, which resume after a lost connection."
        ),
        (
            "Webhooks",
            "What was delivered to the address that a video's `webhook_url` names, and the secret by which a receiver knows the sender."
        ),
        (
            "Plans",
            "What would be chosen for a request on a card (precision, streamed blocks, tiles), how much memory and time it takes, and why."
        ),
        ("Queue", "What waits, by model and class of card; pausing a model, a key or all of it, and going on."),
        ("Models", "What can be asked for: each model's defaults, what it takes, and whether a worker that has it is connected."),
        ("Workers", "Who renders, on which cards, and what they hold; a host is taken out of service and back here."),
        ("Audit", "What is stored and belongs to nothing, and its removal. Administrators only."),
        ("Session", "Who is asking, and how a browser comes to be signed in at the farm's page without the key."),
        ("Settings", "What the process that answers goes by, without secrets. Administrators only."),
        ("Keys", "API keys: their scopes, quotas, rate and priority ceiling. Administrators only."),
        (
            "Worker protocol",
            "For workers, not for people: registration, and the life of a lease. Everything after the lease carries its fence."
        ),
    ];
}
