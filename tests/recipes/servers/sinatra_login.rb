# An old Sinatra application: session login, Rack's own protection on, a cookie domain of the house, absolute redirects.
#
#     ruby sinatra_login.rb
#
# Nothing in it knows of CORS or of a proxy. One user, `ada` with the password `analytical`.
require "json"
require "sinatra/base"
require "webrick"
require "rack/protection"

class Login < Sinatra::Base
  set :environment, :production
  set :sessions, domain: "legacy.internal", same_site: :lax
  set :session_secret, "known to everybody, for tests alone" * 2
  set :logging, false
  use Rack::Session::Cookie, key: "rack.session", domain: "legacy.internal", same_site: :lax,
                             secret: "known to everybody, for tests alone" * 2
  disable :sessions
  use Rack::Protection, use: %i[authenticity_token http_origin remote_token json_csrf], logging: true

  before { $stdout.puts "#{request.request_method} #{request.path} #{env.fetch('HTTP_ORIGIN', '-')}" }

  def token = Rack::Protection::AuthenticityToken.token(session)

  get("/login") { %(<form method="post"><input name="authenticity_token" value="#{token}"></form>) }

  post "/login" do
    halt 401 unless params["username"] == "ada" && params["password"] == "analytical"
    session[:user] = "ada"
    redirect to("/account")
  end

  get "/account" do
    content_type :json
    JSON.generate(user: session[:user].to_s, token:)
  end

  post "/logout" do
    session.delete(:user)
    redirect to("/account")
  end
end

$stdout.sync = true
silent = WEBrick::Log.new(File::NULL)
Rack::Handler::WEBrick.run(Login, Host: "127.0.0.1", Port: 0, Logger: silent, AccessLog: []) do |server|
  $stdout.puts "serving on http://127.0.0.1:#{server.listeners.first.addr[1]}"
end
