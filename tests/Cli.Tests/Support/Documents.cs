namespace EdgeDm.Cli.Tests;

/// <summary>What a gateway says, as JSON.</summary>
internal static class Documents
{
    public static string Job(
        string status,
        string? step = null,
        int percent = 0,
        string id = "fw-1",
        string? more = null
    ) =>
        $$"""
            {"jobId":"{{id}}","type":"firmwareUpdate","status":"{{status}}","source":"twin:firmwareUpdate",
             "createdTime":"2026-01-31T12:00:00Z","startTime":"2026-01-31T12:00:01Z","percent":{{percent}}
             {{(step is null ? "" : $",\"step\":\"{step}\"")}},
             "bytes":{"fetched":33554432,"reused":0,"total":67108864},"steps":[]{{more}}}
            """;

    public const string Error =
        """{"subsystem":"HostAccess","context":"updateManifest","code":4004,"message":"Unknown root.","parameters":{"name":"unknownRoot"}}""";

    public const string CompletedJob = """
        {"jobId":"fw-1","type":"firmwareUpdate","status":"completed","source":"twin:firmwareUpdate",
         "createdTime":"2026-01-31T12:00:00Z","startTime":"2026-01-31T12:00:01Z","endTime":"2026-01-31T12:00:41.5Z","step":"verify",
         "percent":100,"bytes":{"fetched":67108864,"reused":0,"total":67108864},
         "steps":[{"name":"check","startedAt":"2026-01-31T12:00:01Z","endedAt":"2026-01-31T12:00:01.5Z","attempts":1},
                  {"name":"install","startedAt":"2026-01-31T12:00:10Z","endedAt":"2026-01-31T12:00:40Z","attempts":2}],
         "updateId":"{\"provider\":\"Contoso\",\"name\":\"Gateway\",\"version\":\"2.0.0\"}"}
        """;

    public static string Twin(string desired = "{}", string reported = "{}", string etag = "AAA=") =>
        $$$"""
            {"deviceId":"gateway","moduleId":"DeviceManagement","etag":"{{{etag}}}","connectionState":"Connected",
             "properties":{"desired":{{{desired}}},"reported":{{{reported}}} } }
            """;

    /// <summary>A twin with a desired and a reported firmware update.</summary>
    public static string FirmwareTwin(
        string desiredLabel,
        string reportedLabel,
        string status,
        string? jobId,
        string more = ""
    ) =>
        Twin(
            """{"firmwareUpdate":{"updateManifest":"{}","__meta":{"deploymentId":"LABEL"}},"$version":4}""".Replace(
                "LABEL",
                desiredLabel
            ),
            """
            {"firmwareUpdate":{"state":"updating"JOB,"step":"install","percent":40MORE,
             "__meta":{"deploymentId":"LABEL","deploymentStatus":"STATUS"}}}
            """.Replace("JOB", jobId is null ? "" : $",\"jobId\":\"{jobId}\"").Replace("MORE", more).Replace(
                "LABEL",
                reportedLabel
            ).Replace("STATUS", status)
        );
}
