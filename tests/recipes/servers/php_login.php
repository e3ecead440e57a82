<?php
// An old PHP application: its sessions, a token and a look at the Referer against forgery, absolute redirects.
//
//     php -S 127.0.0.1:PORT php_login.php
//
// Nothing in it knows of CORS or of a proxy. One user, `ada` with the password `analytical`.
session_set_cookie_params(['domain' => 'legacy.internal', 'path' => '/', 'samesite' => 'Lax', 'httponly' => true]);
session_start();
$_SESSION['token'] ??= bin2hex(random_bytes(16));
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$line = $_SERVER['REQUEST_METHOD'] . ' ' . $path . ' ' . ($_SERVER['HTTP_ORIGIN'] ?? '-') . "\n";
file_put_contents('php://stdout', $line);

function go_to(string $path): void {
    header("Location: http://{$_SERVER['HTTP_HOST']}$path", true, 302);
    exit;
}

if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    $referer = parse_url($_SERVER['HTTP_REFERER'] ?? '');
    $from = ($referer['host'] ?? '') . (isset($referer['port']) ? ":{$referer['port']}" : '');
    if ($from !== $_SERVER['HTTP_HOST'] || !hash_equals($_SESSION['token'], $_POST['authenticity_token'] ?? '')) {
        http_response_code(403);
        exit('forbidden');
    }
}
switch ("{$_SERVER['REQUEST_METHOD']} $path") {
    case 'GET /login':
        echo "<form method=\"post\"><input name=\"authenticity_token\" value=\"{$_SESSION['token']}\"></form>";
        break;
    case 'POST /login':
        if ([$_POST['username'] ?? '', $_POST['password'] ?? ''] !== ['ada', 'analytical']) {
            http_response_code(401);
            break;
        }
        session_regenerate_id(true);
        $_SESSION['user'] = 'ada';
        go_to('/account');
    case 'GET /account':
        header('Content-Type: application/json');
        echo json_encode(['user' => $_SESSION['user'] ?? '', 'token' => $_SESSION['token']]);
        break;
    case 'POST /logout':
        unset($_SESSION['user']);
        go_to('/account');
    default:
        http_response_code(404);
}
